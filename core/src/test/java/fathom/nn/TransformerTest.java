package fathom.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.Layer;
import fathom.Param;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What a transformer's parts do beyond the laws of every layer.
class TransformerTest {
  private static final RandomKey DRAW = RandomKey.of(31, "transformer");

  /// q = 2x + 1, k = 3x and v = 5x at x = 0 and 1; y is twice what attention gives, plus 10.
  @Test
  void attentionIsTheSoftmaxOfItsDefinition() {
    try (var _ = Scope.open()) {
      Tensor x = Tensor.of(new double[] {0, 1}, 1, 2, 1);
      for (boolean causal : new boolean[] {false, true}) {
        var layer =
            new SelfAttention(
                1,
                causal,
                Param.of(Tensor.of(new double[] {2, 3, 5}, 3, 1)),
                Param.of(Tensor.of(new double[] {1, 0, 0}, 3)),
                Param.of(Tensor.of(new double[] {2}, 1, 1)),
                Param.of(Tensor.of(new double[] {10}, 1)));
        double first = causal ? 0 : 5 * Math.exp(3) / (1 + Math.exp(3)); // q·k = 1·0 and 1·3
        double second = 5 * Math.exp(9) / (1 + Math.exp(9)); // 3·0 and 3·3
        assertArrayEquals(
            new double[] {10 + 2 * first, 10 + 2 * second},
            layer.forward(x).value().toDoubles(),
            1e-12);
      }
    }
  }

  @Test
  void aCausalBlockDoesNotSeeWhatComesLater() {
    try (var _ = Scope.open()) {
      var init = Init.he(1);
      for (Layer causal :
          List.of(
              SelfAttention.of(init, "", 8, 2, true),
              EncoderBlock.preNorm(init, "", 8, 2, true),
              EncoderBlock.postNorm(init, "", 8, 2, true))) {
        assertTrue(firstThreeStay(causal), causal + " sees the future");
      }
      for (Layer other :
          List.of(
              SelfAttention.of(init, "", 8, 2, false),
              EncoderBlock.preNorm(init, "", 8, 2, false),
              EncoderBlock.postNorm(init, "", 8, 2, false))) {
        assertFalse(firstThreeStay(other), other + " does not see the future");
      }
    }
  }

  /// Whether the values at positions 0..2 of 5 stay when what stands at 3 and 4 changes.
  private static boolean firstThreeStay(Layer layer) {
    Tensor x = Tensor.normal(DRAW, DType.FLOAT32, 2, 5, 8);
    Tensor other =
        Tensor.concatenated(
            1, List.of(x.narrow(1, 0, 3), Tensor.normal(DRAW.at(1), DType.FLOAT32, 2, 2, 8)));
    double[] before = layer.predict(x).narrow(1, 0, 3).toDoubles();
    double[] after = layer.predict(other).narrow(1, 0, 3).toDoubles();
    return Arrays.equals(before, after);
  }

  /// Without positions, attention is a function of a set.
  @Test
  void attentionToAllFollowsAPermutationOfPositions() {
    try (var _ = Scope.open()) {
      Layer block = EncoderBlock.preNorm(Init.he(2), "", 6, 3, false);
      block.params().forEach(p -> p.convert(DType.FLOAT64));
      Tensor x = Tensor.normal(DRAW, DType.FLOAT64, 1, 4, 6);
      assertArrayEquals(
          turned(block.predict(x)).toDoubles(), block.predict(turned(x)).toDoubles(), 1e-12);
    }
  }

  private static Tensor turned(Tensor x) {
    return Tensor.concatenated(1, List.of(x.narrow(1, 2, 4), x.narrow(1, 1, 2), x.narrow(1, 0, 1)));
  }

  /// At the branches' ends a block is its shortcuts: the argument itself before norms, and its norm
  /// behind them.
  @Test
  void withZeroBranchesOnlyShortcutsAndTheirNormsStay() {
    try (var _ = Scope.open()) {
      Tensor x = Tensor.normal(DRAW, DType.FLOAT64, 2, 3, 4);
      Layer pre = doubles(EncoderBlock.preNorm(Init.zeros(), "", 4, 2, true));
      assertArrayEquals(x.toDoubles(), pre.predict(x).toDoubles());
      Layer post = doubles(EncoderBlock.postNorm(Init.zeros(), "", 4, 2, true));
      Layer norm = doubles(LayerNorm.of(4));
      Tensor once = norm.predict(x.reshape(6, 4));
      assertArrayEquals(norm.predict(once).toDoubles(), post.predict(x).toDoubles(), 1e-12);
    }
  }

  private static Layer doubles(Layer layer) {
    layer.params().forEach(p -> p.convert(DType.FLOAT64));
    return layer;
  }

  @Test
  void bothBlocksHaveTheSameWeights() {
    try (var _ = Scope.open()) {
      var pre = EncoderBlock.preNorm(Init.he(1), "x", 4, 2, true).state();
      var post = EncoderBlock.postNorm(Init.he(1), "x", 4, 2, true).state();
      assertEquals(
          List.of(
              "attention.norm.weight",
              "attention.norm.bias",
              "attention.in_proj_weight",
              "attention.in_proj_bias",
              "attention.out_proj.weight",
              "attention.out_proj.bias",
              "mlp.norm.weight",
              "mlp.norm.bias",
              "mlp.linear1.weight",
              "mlp.linear1.bias",
              "mlp.linear2.weight",
              "mlp.linear2.bias"),
          List.copyOf(pre.keySet()));
      assertEquals(pre.keySet(), post.keySet());
      pre.forEach((path, param) ->
          assertArrayEquals(param.value().toDoubles(), post.get(path).value().toDoubles(), path));
    }
  }

  @Test
  void headsThatDoNotDivideTheWidthAreRefused() {
    try (var _ = Scope.open()) {
      for (int heads : new int[] {-1, 0, 3, 20}) {
        var e =
            assertThrows(
                IllegalArgumentException.class,
                () -> SelfAttention.of(Init.he(1), "", 10, heads, true));
        assertTrue(e.getMessage().contains("%s of them".formatted(heads)), e.getMessage());
        assertTrue(e.getMessage().contains("10"), e.getMessage());
      }
      var right = SelfAttention.of(Init.he(1), "", 4, 2, true);
      assertThrows(
          IllegalArgumentException.class,
          () ->
              new SelfAttention(
                  2, true, right.outWeight(), right.inBias(), right.outWeight(), right.outBias()));
    }
  }

  @Test
  void signalsKeepTheirSizeAtTheStart() {
    try (var _ = Scope.open()) {
      var attention = SelfAttention.of(Init.he(5), "", 64, 2, false);
      assertEquals(1 / 8.0, standardDeviation(attention.inWeight()), 0.005);
      assertEquals(1 / 8.0, standardDeviation(attention.outWeight()), 0.005);
      assertEquals(1, standardDeviation(Embedding.of(Init.he(5), "", 100, 64).weight()), 0.03);
    }
  }

  private static double standardDeviation(Param param) {
    return Math.sqrt(param.value().square().mean(0, 1).item());
  }

  /// Φ(1) = 0.8413447460685429 and φ(1) = 0.24197072451914337.
  @Test
  void theGaussianErrorLinearUnitIsExact() {
    try (var _ = Scope.open()) {
      Tensor x = Tensor.of(new double[] {-1, 0, 1, 40, -40}, 5);
      Traced y = new Gelu().forward(x);
      double phi = 0.8413447460685429;
      assertArrayEquals(new double[] {phi - 1, 0, phi, 40, 0}, y.value().toDoubles(), 1e-15);
      double density = 0.24197072451914337;
      assertArrayEquals(
          new double[] {1 - phi - density, 0.5, phi + density, 1, 0},
          y.back(Tensor.of(new double[] {1, 1, 1, 1, 1}, 5)).toDoubles(),
          1e-15);
    }
  }

  @Test
  void anEmbeddingReadsRowsAndAddsTheirCotangents() {
    try (var _ = Scope.open()) {
      var table = new Embedding(Param.of(Tensor.of(new double[] {1, 2, 3, 4, 5, 6}, 3, 2)));
      int[] tokens = {2, 0, 2};
      assertArrayEquals(new double[] {5, 6, 1, 2, 5, 6}, table.value(tokens).toDoubles());
      Tensor dy = Tensor.of(new double[] {10, 20, 30, 40, 50, 60}, 3, 2);
      table.back(tokens, dy);
      assertArrayEquals(new double[] {30, 40, 0, 0, 60, 80}, table.weight().grad().toDoubles());
      table.back(new int[] {1}, dy.narrow(0, 0, 1));
      table.back(new int[0], dy.narrow(0, 0, 0));
      assertArrayEquals(new double[] {30, 40, 10, 20, 60, 80}, table.weight().grad().toDoubles());
      assertArrayEquals(new double[0], table.value(new int[0]).toDoubles());
      assertEquals(3, table.tokens());
      assertEquals(2, table.width());
      assertEquals(List.of(table.weight()), table.params());
    }
  }

  @Test
  void aTokenOutsideOfTheTableIsRefused() {
    try (var _ = Scope.open()) {
      var table = Embedding.of(Init.he(1), "", 3, 2);
      Tensor dy = Tensor.zeros(DType.FLOAT32, 2, 2);
      for (int token : new int[] {-1, 3, Integer.MAX_VALUE}) {
        for (Runnable way :
            List.<Runnable>of(
                () -> table.value(new int[] {0, token}),
                () -> table.back(new int[] {0, token}, dy))) {
          var e = assertThrows(IllegalArgumentException.class, way::run);
          assertTrue(e.getMessage().contains("0..2"), e.getMessage());
          assertTrue(e.getMessage().contains(Integer.toString(token)), e.getMessage());
        }
      }
      for (Tensor wrong :
          List.of(
              Tensor.zeros(DType.FLOAT32, 1, 2),
              Tensor.zeros(DType.FLOAT32, 2, 3),
              Tensor.zeros(DType.FLOAT64, 2, 2))) {
        assertThrows(IllegalArgumentException.class, () -> table.back(new int[] {0, 1}, wrong));
      }
      assertArrayEquals(new double[6], table.weight().grad().toDoubles());
    }
  }
}
