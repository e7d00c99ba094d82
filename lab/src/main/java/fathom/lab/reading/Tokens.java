package fathom.lab.reading;

import fathom.Tensor;
import fathom.nn.Embedding;
import fathom.recurrent.Sequences;
import java.util.Arrays;

/// Lines of tokens side by side, the shorter ones filled up with token 0, as a recurrent layer
/// reads them: what stands at one time lies together.
///
/// @param flat T·N tokens, those of time 0 first
record Tokens(int[] flat, int[] lengths, int steps) {
  /// Throws `IllegalArgumentException` for no lines, or an empty one.
  static Tokens of(int[][] lines) {
    int[] lengths = Arrays.stream(lines).mapToInt(line -> line.length).toArray();
    int steps = Arrays.stream(lengths).max().orElse(0);
    if (Arrays.stream(lengths).min().orElse(0) == 0) {
      throw new IllegalArgumentException(
          "a line has a token at least, but of %s lines one has none".formatted(lines.length));
    }
    int[] flat = new int[steps * lines.length];
    for (int n = 0; n < lines.length; n++) {
      for (int t = 0; t < lengths[n]; t++) {
        flat[t * lines.length + n] = lines[n][t];
      }
    }
    return new Tokens(flat, lengths, steps);
  }

  /// The rows of an embedding, T×N×E.
  Sequences in(Embedding embedding) {
    Tensor rows = embedding.value(flat);
    return new Sequences(rows.reshape(steps, lengths.length, embedding.width()), lengths);
  }

  /// Adds the cotangent of [#in] to the gradient of the embedding.
  void back(Embedding embedding, Tensor dx) {
    embedding.back(flat, dx.reshape(flat.length, embedding.width()));
  }
}
