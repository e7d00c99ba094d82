package fathom.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LogisticRegressionTest {
  private static final int CLASSES = 3;
  private static final double PENALTY = 0.005;

  /// Normal examples around a mean for each class, far from 0 and of another scale.
  private static double[][] examples(int[] labels, int size, double apart) {
    var random = new Random(7);
    double[][] means = new double[CLASSES][size];
    for (double[] mean : means) {
      Arrays.setAll(mean, _ -> apart * random.nextGaussian());
    }
    double[][] examples = new double[labels.length][size];
    for (int i = 0; i < labels.length; i++) {
      for (int f = 0; f < size; f++) {
        examples[i][f] = 50 + 10 * (means[labels[i]][f] + random.nextGaussian());
      }
    }
    return examples;
  }

  private static int[] labels(int count) {
    int[] labels = new int[count];
    Arrays.setAll(labels, i -> i % CLASSES);
    return labels;
  }

  private static double[] probabilities(LogisticRegression of, double[] features) {
    double[] p = of.bias().clone();
    for (int c = 0; c < p.length; c++) {
      for (int f = 0; f < features.length; f++) {
        p[c] += of.weight()[c][f] * features[f];
      }
    }
    double most = Arrays.stream(p).max().orElseThrow();
    double sum = Arrays.stream(p).map(value -> Math.exp(value - most)).sum();
    return Arrays.stream(p).map(value -> Math.exp(value - most) / sum).toArray();
  }

  private static int errors(LogisticRegression of, double[][] examples, int[] labels) {
    int errors = 0;
    for (int i = 0; i < labels.length; i++) {
      double[] p = probabilities(of, examples[i]);
      errors += p[labels[i]] == Arrays.stream(p).max().orElseThrow() ? 0 : 1;
    }
    return errors;
  }

  /// At the least value the derivative is 0: by each weight of a class the mean of (p - y)·x and
  /// the penalty cancel, with x centred and over the root of its mean squared norm. Examples that
  /// overlap, that can be separated, and with more features than examples.
  @ParameterizedTest
  @CsvSource({"60, 4, 0.5", "60, 4, 5", "12, 40, 1"})
  void nothingNearIsBetter(int count, int size, double apart) {
    int[] labels = labels(count);
    double[][] examples = examples(labels, size, apart);
    var fitted = LogisticRegression.of(examples, labels, CLASSES);
    double[] mean = new double[size];
    double square = 0;
    for (double[] x : examples) {
      for (int f = 0; f < size; f++) {
        mean[f] += x[f] / count;
      }
    }
    for (double[] x : examples) {
      for (int f = 0; f < size; f++) {
        square += (x[f] - mean[f]) * (x[f] - mean[f]) / count;
      }
    }
    double scale = Math.sqrt(square);
    for (int c = 0; c < CLASSES; c++) {
      for (int f = 0; f < size; f++) {
        double derivative = PENALTY * fitted.weight()[c][f] * scale;
        for (int i = 0; i < count; i++) {
          double by = probabilities(fitted, examples[i])[c] - (labels[i] == c ? 1 : 0);
          derivative += by * (examples[i][f] - mean[f]) / scale / count;
        }
        assertEquals(0, derivative, 1e-5);
      }
    }
    assertTrue(errors(fitted, examples, labels) <= (apart < 1 ? count / 2 : 0));
  }

  /// Without anything to learn from, its probabilities are those of the classes.
  @Test
  void featuresThatSayNothingLeaveTheFrequencies() {
    double[][] alike = new double[10][];
    Arrays.fill(alike, new double[] {1, 2});
    int[] labels = {0, 0, 0, 0, 0, 0, 0, 1, 1, 1};
    double[] p = probabilities(LogisticRegression.of(alike, labels, 2), alike[0]);
    assertEquals(0.7, p[0], 0.01);
  }

  @Test
  void oneExampleOfEachClassIsEnoughAndAClassMayHaveNone() {
    double[][] examples = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
    var fitted = LogisticRegression.of(examples, labels(CLASSES), CLASSES + 1);
    assertEquals(0, errors(fitted, examples, labels(CLASSES)));
    double[] none = probabilities(fitted, examples[0]);
    assertTrue(none[CLASSES] < 0.25 && none[CLASSES] > 0, Arrays.toString(none));
    var single = LogisticRegression.of(new double[][] {{2, 3}}, new int[] {1}, 2);
    assertEquals(0, errors(single, new double[][] {{2, 3}}, new int[] {1}));
  }
}
