package fathom.infer;

import fathom.Lifetime;
import fathom.Param;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.data.Vocabulary;
import fathom.net.Architecture;
import fathom.net.LanguageModel;
import fathom.nn.Init;
import fathom.recurrent.State;
import fathom.task.Evaluation;
import fathom.train.Weights;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;

/// A trained net that writes text, one character at a time, each drawn from the distribution that
/// the net predicts. Any number of threads may call it at a time, until it is closed; a later call
/// throws `IllegalStateException`.
///
/// ```java
/// try (var generator = TextGenerator.open(Path.of("runs/ln-lstm-book-1"))) {
///   System.out.println(generator.generate("It was ", 500, 0.8, 1));
/// }
/// ```
public final class TextGenerator implements AutoCloseable {
  private static final int MOST = 10_000_000;

  private final ModelCard card;
  private final Vocabulary vocabulary;
  private final LanguageModel net;
  private final Calls calls;

  private TextGenerator(ModelCard card, Path weights, Lifetime life) {
    Architecture.OfText plain = card.text();
    this.card = card;
    this.vocabulary = new Vocabulary(Objects.requireNonNull(card.classes()));
    this.net =
        life.in(() -> {
          LanguageModel built = plain.build(Init.zeros());
          Weights.read(weights, built);
          built.params().stream().map(Param::grad).forEach(Tensor::release); // for training only
          return built;
        });
    this.calls = new Calls("text generator", life);
  }

  /// Opens the last checkpoint in a run's folder, or a file of weights that states the net it
  /// belongs to: one that was exported from a run, or a checkpoint. Throws
  /// [fathom.io.BadFileException] for a folder or file that does not exist, is damaged or lacks
  /// necessary information.
  public static TextGenerator open(Path from) {
    return Stored.at(from).open(TextGenerator::of);
  }

  /// Opens the weights of the best epoch in a run's folder. Throws [fathom.io.BadFileException] as
  /// [#open] does, and if the run has no such weights.
  public static TextGenerator openBest(Path folder) {
    return Stored.bestIn(folder).open(TextGenerator::of);
  }

  /// Opens weights of any origin, which belong to the net for text that the card names; the classes
  /// of the card are the characters. Throws `IllegalArgumentException` for a card that lacks
  /// necessary information or whose parts do not fit together, and [fathom.io.BadFileException] for
  /// weights of another net.
  public static TextGenerator of(ModelCard card, Path weights) {
    var life = new Lifetime();
    try {
      return new TextGenerator(card, weights, life);
    } catch (RuntimeException | Error e) {
      life.close();
      throw e;
    }
  }

  /// Returns what is known of the net.
  public ModelCard card() {
    return card;
  }

  /// Returns the characters that the net knows.
  public Vocabulary vocabulary() {
    return vocabulary;
  }

  /// Continues `prompt` with `length` characters, and returns them without the prompt. If the
  /// prompt is empty, a line end takes its place, or the first character of the vocabulary if that
  /// has no line end.
  ///
  /// Logits are divided by `temperature`: below 1, likely characters become more likely; at 0, the
  /// most likely character is always chosen. The same seed writes the same text. Throws
  /// `IllegalArgumentException` for a prompt with characters that the net does not know, for a
  /// temperature that is negative, NaN or infinite, and for a length below 0 or above 10,000,000.
  public String generate(String prompt, int length, double temperature, long seed) {
    if (length < 0 || length > MOST || !(temperature >= 0) || Double.isInfinite(temperature)) {
      throw new IllegalArgumentException(
          "length is 0 to %s and temperature 0 or more, but they are %s and %s"
              .formatted(MOST, length, temperature));
    }
    int[] given = vocabulary.encode(prompt);
    int[] start =
        given.length > 0 ? given : new int[] {Math.max(0, vocabulary.characters().indexOf("\n"))};
    return calls.call(() -> {
      try (var _ = Scope.open()) {
        return vocabulary.decode(go(start, length, temperature, RandomKey.of(seed, "sample")));
      }
    });
  }

  private int[] go(int[] prompt, int length, double temperature, RandomKey key) {
    int[] text = Arrays.copyOf(prompt, prompt.length + length);
    State carried = net.start(1);
    int from = 0;
    for (int i = prompt.length; i < text.length; i++) {
      from = net.context() > 0 ? Math.max(0, i - net.context()) : from;
      try (var _ = Scope.open()) {
        var predicted = net.predict(column(text, from, i), carried);
        Evaluation.carry(predicted.end(), carried);
        text[i] = choose(last(predicted.value()), temperature, key.uniform(i - prompt.length));
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

  /// Returns the first place at which the cumulative probability exceeds `uniform`.
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
    return best; // rounding can leave a rest
  }

  /// Frees the net when the running calls have ended; later calls throw. Closing again does
  /// nothing.
  @Override
  public void close() {
    calls.close();
  }
}
