package fathom.lab.reading;

import fathom.RandomKey;
import fathom.Tensor;
import fathom.lab.reading.ClozeTokens.Coded;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// Questions that are answered together.
///
/// @param answers of each question its marker
/// @param absent N·M numbers to be added to scores: 0 for the markers of a text, and for the others
///   so little that they have no probability
record ClozeBatch(Tokens documents, Tokens questions, int[] answers, double[] absent) {
  /// Less than any score, and a number in float32.
  static final double NOTHING = -1e30;

  /// @param draw for the markers, by the position of a question in `some`
  static ClozeBatch of(List<Cloze> some, ClozeTokens tokens, RandomKey draw) {
    List<Coded> coded =
        IntStream.range(0, some.size())
            .mapToObj(i -> tokens.code(some.get(i), draw.at(i)))
            .toList();
    double[] absent = new double[coded.size() * tokens.markers()];
    Arrays.fill(absent, NOTHING);
    for (int i = 0; i < coded.size(); i++) {
      for (int entity : coded.get(i).entities()) {
        absent[i * tokens.markers() + entity] = 0;
      }
    }
    return new ClozeBatch(
        Tokens.of(coded.stream().map(Coded::document).toArray(int[][]::new)),
        Tokens.of(coded.stream().map(Coded::question).toArray(int[][]::new)),
        coded.stream().mapToInt(Coded::answer).toArray(),
        absent);
  }

  /// The scores of the markers N×M without those that a text has not.
  Tensor present(Tensor scores) {
    int markers = absent.length / answers.length;
    return scores.plus(scores.zerosOf(answers.length, markers).copy_(absent));
  }
}
