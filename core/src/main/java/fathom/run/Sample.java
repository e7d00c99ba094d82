package fathom.run;

import fathom.Draw;
import fathom.Scope;
import fathom.State;
import fathom.Tensor;
import fathom.data.Alphabet;
import fathom.net.LanguageModel;
import fathom.nn.Init;
import fathom.task.Evaluation;
import fathom.train.Weights;
import java.nio.file.Path;
import java.util.Arrays;

/// Text that a run's net writes, a character at a time, each drawn from what the net expects.
public final class Sample {
  private static final int MOST = 10_000_000;

  private Sample() {}

  /// Goes on for `length` characters after `prompt`, from the run's last checkpoint; returns them
  /// without the prompt. An empty prompt stands for a line end, or for the first character of the
  /// alphabet where there is none; `weights` are a checkpoint of the run.
  ///
  /// Logits are divided by `temperature`: below 1 likely characters become more likely; at 0 the
  /// likeliest is taken. The same seed writes the same text. Throws `IllegalArgumentException` for
  /// a prompt with characters that the run does not know, a negative temperature or length, and a
  /// run about pictures.
  public static String of(
      Run run, Path weights, String prompt, int length, double temperature, long seed) {
    if (!run.recipe().isText()) {
      throw new IllegalArgumentException(
          "a run about text writes text, but %s learned pictures".formatted(run.recipe().model()));
    }
    if (length < 0 || length > MOST || !(temperature >= 0) || Double.isInfinite(temperature)) {
      throw new IllegalArgumentException(
          "length is 0 to %s and temperature 0 or more, but they are %s and %s"
              .formatted(MOST, length, temperature));
    }
    Alphabet alphabet = run.alphabet();
    int[] given = alphabet.encode(prompt);
    int[] start =
        given.length > 0 ? given : new int[] {Math.max(0, alphabet.characters().indexOf("\n"))};
    try (var _ = Scope.open()) {
      LanguageModel net = run.textNet(Init.zeros());
      Weights.read(weights, net);
      return alphabet.decode(go(net, start, length, temperature, Draw.of(seed, "sample")));
    }
  }

  private static int[] go(
      LanguageModel net, int[] prompt, int length, double temperature, Draw draw) {
    int[] text = Arrays.copyOf(prompt, prompt.length + length);
    State carried = net.start(1);
    int from = 0;
    for (int i = prompt.length; i < text.length; i++) {
      from = net.context() > 0 ? Math.max(0, i - net.context()) : from;
      try (var _ = Scope.open()) {
        var predicted = net.predict(column(text, from, i), carried);
        Evaluation.carry(predicted.end(), carried);
        text[i] = choose(last(predicted.value()), temperature, draw.uniform(i - prompt.length));
      }
      from = i;
    }
    return Arrays.copyOfRange(text, prompt.length, text.length);
  }

  private static int[][] column(int[] text, int from, int to) {
    int[][] column = new int[to - from][1];
    for (int t = 0; t < column.length; t++) {
      column[t][0] = text[from + t];
    }
    return column;
  }

  private static double[] last(Tensor logits) {
    long rows = logits.shape().size(0);
    return logits.narrow(0, rows - 1, rows).toDoubles();
  }

  /// The place at which the sum of the probabilities passes `uniform`.
  static int choose(double[] logits, double temperature, double uniform) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      best = logits[i] > logits[best] ? i : best;
    }
    if (temperature == 0) {
      return best;
    }
    double[] weights = new double[logits.length];
    double sum = 0;
    for (int i = 0; i < logits.length; i++) {
      weights[i] = StrictMath.exp((logits[i] - logits[best]) / temperature);
      sum += weights[i];
    }
    double left = uniform * sum;
    for (int i = 0; i < weights.length; i++) {
      left -= weights[i];
      if (left < 0) {
        return i;
      }
    }
    return best; // what rounding left over
  }
}
