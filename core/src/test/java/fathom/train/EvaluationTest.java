package fathom.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import fathom.Layer;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import fathom.data.Images;
import fathom.data.Normalization;
import fathom.parallel.Workers;
import fathom.task.Evaluation;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EvaluationTest {
  /// What it is given, in order; its logits are zero.
  private record Noting(List<Shape> given) implements Layer {
    @Override
    public Traced forward(Tensor x) {
      throw new UnsupportedOperationException("an evaluation predicts");
    }

    @Override
    public Tensor predict(Tensor x) {
      given.add(x.shape());
      return Tensor.zeros(x.type(), x.shape().size(0), 2);
    }
  }

  /// A net that is packed for a piece meets it every time but the last.
  @ParameterizedTest
  @CsvSource({"8, 300, 1", "8, 300, 2", "200, 300, 1", "200, 300, 2", "400, 9, 2", "8, 5, 2"})
  void aWorkerPredictsAPieceAtATime(int side, int count, int workers) {
    var images = new Images(1, side, side, new byte[count * side * side], new int[count]);
    var normalization = Normalization.of(new float[] {0}, new float[] {1});
    Map<Integer, List<Shape>> given =
        IntStream.range(0, workers)
            .boxed()
            .collect(
                Collectors.toMap(
                    rank -> rank,
                    _ -> Collections.synchronizedList(new ArrayList<>()),
                    (a, _) -> a,
                    TreeMap::new));
    Workers.run(
        workers,
        all -> {
          try (var _ = Scope.open()) {
            List<Shape> met = given.get(all.rank());
            Evaluation.of(new Noting(met), images, normalization, all);
            Shape piece = Evaluation.piece(images, all);
            for (int i = 0; i < Math.max(1, met.size() - 1); i++) {
              assertEquals(piece, met.get(i), "at " + i + " of " + met);
            }
          }
        });
    assertEquals(
        count,
        given.values().stream().flatMap(List::stream).mapToLong(shape -> shape.size(0)).sum());
  }
}
