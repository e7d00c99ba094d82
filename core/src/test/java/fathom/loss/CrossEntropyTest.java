package fathom.loss;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.parallel.Collective;
import fathom.parallel.Step;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CrossEntropyTest {
  /// Logits ln 1, ln 2, ln 5 have the probabilities 1/8, 2/8, 5/8; three equal ones 1/3 each.
  private static Tensor logits() {
    return Tensor.of(new double[] {0, Math.log(2), Math.log(5), 7, 7, 7}, 2, 3);
  }

  private static Tensor one(DType type) {
    return Tensor.scalar(type, 1);
  }

  @Test
  void twoRowsAreAsByHand() {
    try (var _ = Scope.open()) {
      Traced loss = CrossEntropy.of(logits(), new int[] {2, 0});
      assertEquals("scalar", loss.value().shape().toString());
      assertEquals((Math.log(8.0 / 5) + Math.log(3)) / 2, loss.value().item(), 1e-15);
      Tensor d = loss.back(one(DType.FLOAT64));
      double third = 1.0 / 3;
      assertArrayEquals(
          new double[] {1.0 / 16, 2.0 / 16, -3.0 / 16, -third, third / 2, third / 2},
          d.toDoubles(),
          1e-15);
      assertEquals(
          Math.log(8.0 / 5) + Math.log(3), CrossEntropy.sum(logits(), new int[] {2, 0}), 1e-15);
    }
  }

  /// Of the labels 2 and 0 for the first row, by ¾ and ¼; the second row has one label.
  @Test
  void mixedLabelsAreAsByHand() {
    try (var _ = Scope.open()) {
      Traced loss =
          CrossEntropy.of(
              logits(), new CrossEntropy.Labels(new int[] {2, 0}, new int[] {0, 0}, 0.75), 0);
      double first = 0.75 * Math.log(8.0 / 5) + 0.25 * Math.log(8);
      assertEquals((first + Math.log(3)) / 2, loss.value().item(), 1e-15);
      double third = 1.0 / 3;
      assertArrayEquals(
          new double[] {-1.0 / 16, 2.0 / 16, -1.0 / 16, -third, third / 2, third / 2},
          loss.back(one(DType.FLOAT64)).toDoubles(),
          1e-15);
    }
  }

  /// λ·CE(a) + (1−λ)·CE(b), with labels that are smoothed too; for λ = 1 to the bit.
  @Test
  void theLossOfMixedLabelsIsTheMixOfTheirLosses() {
    try (var _ = Scope.open()) {
      Tensor logits = Tensor.normal(RandomKey.of(1, "logits"), DType.FLOAT64, 20, 7).times(5);
      int[] labels = labels(20, 7);
      int[] others = IntStream.range(0, 20).map(i -> labels[19 - i]).toArray();
      double[][] of = new double[2][];
      double[] values = new double[2];
      for (int i = 0; i < 2; i++) {
        Traced loss = CrossEntropy.of(logits, i == 0 ? labels : others, 0.1);
        values[i] = loss.value().item();
        of[i] = loss.back(one(DType.FLOAT64)).toDoubles();
      }
      Traced mixed = CrossEntropy.of(logits, new CrossEntropy.Labels(labels, others, 0.3), 0.1);
      assertEquals(0.3 * values[0] + 0.7 * values[1], mixed.value().item(), 1e-13);
      double[] d = mixed.back(one(DType.FLOAT64)).toDoubles();
      for (int i = 0; i < d.length; i++) {
        assertEquals(0.3 * of[0][i] + 0.7 * of[1][i], d[i], 1e-16);
      }
      Traced whole = CrossEntropy.of(logits, new CrossEntropy.Labels(labels, others, 1), 0.1);
      assertEquals(values[0], whole.value().item());
      assertArrayEquals(of[0], whole.back(one(DType.FLOAT64)).toDoubles());
      assertThrows(
          IllegalArgumentException.class,
          () -> CrossEntropy.of(logits, new CrossEntropy.Labels(labels, others, 1.1), 0.1));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT64"})
  void theGradientOfARowSumsToZero(DType type) {
    try (var _ = Scope.open()) {
      Tensor logits = Tensor.normal(RandomKey.of(1, "logits"), type, 20, 7).times(5);
      Tensor d = CrossEntropy.of(logits, labels(20, 7)).back(one(type));
      assertEquals(type, d.type());
      for (double sum : d.sum(1).toDoubles()) {
        assertEquals(0, sum, type == DType.FLOAT64 ? 1e-16 : 1e-7);
      }
    }
  }

  private static int[] labels(int count, int classes) {
    int[] labels = new int[count];
    for (int i = 0; i < count; i++) {
      labels[i] = RandomKey.of(2, "labels").below(i, classes);
    }
    return labels;
  }

  @Test
  void theGradientAgreesWithCentralDifferences() {
    try (var _ = Scope.open()) {
      Tensor logits = Tensor.normal(RandomKey.of(1, "logits"), DType.FLOAT64, 3, 4);
      int[] labels = {3, 0, 0};
      double[] d =
          CrossEntropy.of(logits, labels).back(Tensor.scalar(DType.FLOAT64, 2.5)).toDoubles();
      for (int i = 0; i < 12; i++) {
        double[] step = new double[12];
        step[i] = 1e-6;
        Tensor h = Tensor.of(step, 3, 4);
        double up = CrossEntropy.of(logits.plus(h), labels).value().item();
        double down = CrossEntropy.of(logits.minus(h), labels).value().item();
        assertEquals(2.5 * (up - down) / 2e-6, d[i], 1e-8);
      }
    }
  }

  @Test
  void largeLogitsAreNoTrouble() {
    try (var _ = Scope.open()) {
      for (double shift : new double[] {-1e4, 1e4}) {
        Traced loss = CrossEntropy.of(logits().plus(shift), new int[] {2, 0});
        assertEquals((Math.log(8.0 / 5) + Math.log(3)) / 2, loss.value().item(), 1e-11);
      }
      Tensor sure = Tensor.of(new float[] {-300, 300}, 1, 2);
      assertEquals(600, CrossEntropy.of(sure, new int[] {0}).value().item());
      assertEquals(0, CrossEntropy.of(sure, new int[] {1}).value().item());
      assertArrayEquals(
          new double[] {-1, 1},
          CrossEntropy.of(sure, new int[] {0}).back(one(DType.FLOAT32)).toDoubles());
    }
  }

  @Test
  void whatIsNotANumberIsPassedOn() {
    try (var _ = Scope.open()) {
      for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
        Tensor logits = Tensor.of(new float[] {0, bad, 0, 0}, 2, 2);
        assertTrue(Double.isNaN(CrossEntropy.of(logits, new int[] {0, 0}).value().item()));
      }
    }
  }

  @Test
  void theLayoutOfTheLogitsDoesNotMatter() {
    try (var _ = Scope.open()) {
      Tensor transposed = logits().transpose().contiguous().transpose();
      int[] labels = {2, 0};
      assertArrayEquals(
          CrossEntropy.of(logits(), labels).back(one(DType.FLOAT64)).toDoubles(),
          CrossEntropy.of(transposed, labels).back(one(DType.FLOAT64)).toDoubles());
    }
  }

  /// Shares of a batch add up to it, also where one has no rows.
  @Test
  void aShareIsDividedByTheWholeBatch() {
    try (var _ = Scope.open()) {
      Traced whole = CrossEntropy.of(logits(), new int[] {2, 0});
      double[] expected = whole.back(one(DType.FLOAT64)).toDoubles();
      var step = new Step(0, 0, Collective.ALONE, 2);
      double sum = 0;
      for (int row = 0; row < 2; row++) {
        Tensor own = logits().narrow(0, row, row + 1);
        int[] label = {row == 0 ? 2 : 0};
        Traced share = step.run(() -> CrossEntropy.of(own, label));
        sum += share.value().item();
        double[] d = share.back(one(DType.FLOAT64)).toDoubles();
        assertArrayEquals(Arrays.copyOfRange(expected, 3 * row, 3 * row + 3), d, 1e-16);
      }
      assertEquals(whole.value().item(), sum, 1e-15);
      Traced none = step.run(() -> CrossEntropy.of(logits().narrow(0, 1, 1), new int[0]));
      assertEquals(0, none.value().item());
      assertEquals("0×3", none.back(one(DType.FLOAT64)).shape().toString());
    }
  }

  @Test
  void wrongLabelsAreRefused() {
    try (var _ = Scope.open()) {
      for (int[] labels : new int[][] {{0, 3}, {-1, 0}, {Integer.MAX_VALUE, 0}}) {
        for (Runnable way :
            new Runnable[] {
              () -> CrossEntropy.of(logits(), labels), () -> CrossEntropy.sum(logits(), labels)
            }) {
          var e = assertThrows(IllegalArgumentException.class, way::run);
          assertTrue(e.getMessage().contains("0..2 for 3 classes"), e.getMessage());
          assertTrue(
              e.getMessage()
                  .contains(
                      "from %s to %s"
                          .formatted(
                              Math.min(labels[0], labels[1]), Math.max(labels[0], labels[1]))),
              e.getMessage());
        }
      }
      var e =
          assertThrows(
              IllegalArgumentException.class, () -> CrossEntropy.of(logits(), new int[] {1}));
      assertTrue(e.getMessage().contains("2×3 and 1 labels"), e.getMessage());
      assertThrows(
          IllegalArgumentException.class,
          () -> CrossEntropy.of(Tensor.zeros(DType.FLOAT32, 3), new int[3]));
    }
  }

  /// p = (1/4, 3/4), and a label of 1 that gives up 0.2 is q = (0.1, 0.9): the loss is 0.1·ln 4 +
  /// 0.9·ln 4/3, and the gradient p − q = (0.15, −0.15).
  @Test
  void smoothedLabelsAreAsByHand() {
    try (var _ = Scope.open()) {
      Tensor logits = Tensor.of(new double[] {0, Math.log(3)}, 1, 2);
      Traced loss = CrossEntropy.of(logits, new int[] {1}, 0.2);
      assertEquals(0.1 * Math.log(4) + 0.9 * Math.log(4 / 3.0), loss.value().item(), 1e-12);
      assertArrayEquals(
          new double[] {0.15, -0.15}, loss.back(one(DType.FLOAT64)).toDoubles(), 1e-12);
      for (double bad : new double[] {-0.1, 1, Double.NaN}) {
        assertThrows(
            IllegalArgumentException.class, () -> CrossEntropy.of(logits, new int[] {1}, bad));
      }
    }
  }

  /// The weights 1, 2, 4 of the classes: the rows weigh 4 and 1, and together 5.
  @Test
  void weightedRowsAreAsByHand() {
    try (var _ = Scope.open()) {
      Traced loss =
          CrossEntropy.of(
              logits(), CrossEntropy.Labels.of(new int[] {2, 0}), 0, new double[] {1, 2, 4}, 5);
      assertEquals((4 * Math.log(8.0 / 5) + Math.log(3)) / 5, loss.value().item(), 1e-15);
      double third = 1.0 / 3;
      assertArrayEquals(
          new double[] {0.1, 0.2, -0.3, -third / 2.5, third / 5, third / 5},
          loss.back(one(DType.FLOAT64)).toDoubles(),
          1e-15);
    }
  }

  /// PyTorch 2.13: CrossEntropyLoss(weight=[0.5, 2, 3], label_smoothing=s) in float64.
  @Test
  void weightedLossesAndGradientsAreThoseOfPyTorch() {
    double[] logits = {0.5, -1, 2, 1.5, 0.25, -0.75};
    double[] weights = {0.5, 2, 3};
    double[][] gradients = {
      {
        0.15024890754860287, 0.03352506280344638, -0.18377397035204923,
        -0.040222808406990725, 0.02940522914252165, 0.010817579264469072
      },
      {
        0.1396439897153636, 0.013173691313471098, -0.15281768102883464,
        -0.0033298430298073093, 0.018199004532908382, -0.014869161503101072
      }
    };
    double[] losses = {0.25407719847859517, 0.41101149275791754};
    for (int i = 0; i < 2; i++) {
      try (var _ = Scope.open()) {
        Traced loss =
            CrossEntropy.of(
                Tensor.of(logits, 2, 3),
                CrossEntropy.Labels.of(new int[] {2, 0}),
                0.1 * i,
                weights,
                3 + 0.5);
        assertEquals(losses[i], loss.value().item(), 1e-15);
        assertArrayEquals(gradients[i], loss.back(one(DType.FLOAT64)).toDoubles(), 1e-15);
      }
    }
  }

  @Test
  void equalWeightsChangeNothing() {
    try (var _ = Scope.open()) {
      Tensor logits = Tensor.normal(RandomKey.of(1, "logits"), DType.FLOAT64, 20, 7);
      double[] weights = new double[7];
      Arrays.fill(weights, 3);
      Traced plain = CrossEntropy.of(logits, labels(20, 7), 0.2);
      Traced weighted =
          CrossEntropy.of(logits, CrossEntropy.Labels.of(labels(20, 7)), 0.2, weights, 60);
      assertEquals(plain.value().item(), weighted.value().item(), 1e-14);
      assertArrayEquals(
          plain.back(one(DType.FLOAT64)).toDoubles(),
          weighted.back(one(DType.FLOAT64)).toDoubles(),
          1e-16);
    }
  }

  /// A mixed example weighs what its labels weigh, each by its share: with λ = ¾ the first row's
  /// weight is ¾·4 + ¼·1, and the loss is the shares' sum of those of each label.
  @Test
  void mixedRowsAreWeightedByTheirShares() {
    try (var _ = Scope.open()) {
      double[] weights = {1, 2, 4};
      int[] own = {2, 0};
      int[] others = {0, 1};
      var mixed = new CrossEntropy.Labels(own, others, 0.75);
      double total = mixed.sum(weights);
      assertEquals(0.75 * (4 + 1) + 0.25 * (1 + 2), total);
      Traced both = CrossEntropy.of(logits(), mixed, 0.1, weights, total);
      Traced first = CrossEntropy.of(logits(), CrossEntropy.Labels.of(own), 0.1, weights, total);
      Traced second =
          CrossEntropy.of(logits(), CrossEntropy.Labels.of(others), 0.1, weights, total);
      assertEquals(
          0.75 * first.value().item() + 0.25 * second.value().item(), both.value().item(), 1e-15);
      double[] a = first.back(one(DType.FLOAT64)).toDoubles();
      double[] b = second.back(one(DType.FLOAT64)).toDoubles();
      double[] d = both.back(one(DType.FLOAT64)).toDoubles();
      for (int i = 0; i < d.length; i++) {
        assertEquals(0.75 * a[i] + 0.25 * b[i], d[i], 1e-15);
      }
    }
  }

  @Test
  void weightsThatAreNoneAreRefused() {
    try (var _ = Scope.open()) {
      for (double[] weights : new double[][] {{1, 2}, {1, 2, 0}, {1, 2, -1}, {1, 2, Double.NaN}}) {
        assertThrows(
            IllegalArgumentException.class,
            () ->
                CrossEntropy.of(logits(), CrossEntropy.Labels.of(new int[] {2, 0}), 0, weights, 5));
      }
    }
  }
}
