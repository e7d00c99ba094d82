package fathom;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.nn.Init;
import fathom.nn.LayerNorm;
import fathom.nn.RmsNorm;
import fathom.recurrent.GateNorm;
import fathom.recurrent.Kind;
import fathom.recurrent.RecurrentLayer;
import fathom.recurrent.Sequences;
import fathom.recurrent.State;
import java.util.List;
import org.bytedeco.pytorch.Device;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Layers on tensors that have no memory on the processor. Libtorch's device `meta` has shapes and
/// no elements, so whoever reads one is found, and shapes and types of the results are seen. Its
/// own layer norm has no such form, and is not used where ε is 0.
class DeviceSeamTest {
  private static Tensor elsewhere(DType type, long... shape) {
    try (var zeros = Scope.open();
        var device = new Device("meta")) {
      Tensor here = Tensor.zeros(type, shape);
      return zeros.keep(Tensor.adopt(here.raw().to(device, Torch.scalarType(type))));
    }
  }

  /// The layer's parameters go there too.
  private static <T extends Node> T moved(T layer) {
    for (Param param : layer.params()) {
      long[] shape = param.value().shape().toArray();
      DType type = param.value().type();
      param.bind(elsewhere(type, shape), elsewhere(type, shape));
    }
    return layer;
  }

  private static void assertLike(Tensor expected, Tensor actual) {
    assertEquals(expected.shape(), actual.shape());
    assertEquals(expected.type(), actual.type());
    assertFalse(actual.isOnProcessor());
  }

  @Test
  void itsMemoryIsRefused() {
    try (var _ = Scope.open()) {
      assertTrue(Tensor.zeros(DType.FLOAT32, 2).isOnProcessor());
      Tensor x = elsewhere(DType.FLOAT32, 2, 3);
      assertFalse(x.isOnProcessor());
      var e = assertThrows(IllegalStateException.class, x::segment);
      assertTrue(e.getMessage().contains("on another device"), e.getMessage());
      assertThrows(IllegalStateException.class, x::toDoubles);
    }
  }

  @Test
  void normsOfRowsReadNoMemory() {
    try (var _ = Scope.open()) {
      for (Layer norm :
          List.of(
              LayerNorm.of(3, 4, 5).withEpsilon(0),
              LayerNorm.plain(3, 4, 5).withEpsilon(0),
              LayerNorm.ofLast(5).withEpsilon(0),
              LayerNorm.ofPosition(3).withEpsilon(0),
              RmsNorm.of(3, 4, 5),
              RmsNorm.ofLast(5))) {
        moved(norm);
        Tensor x = elsewhere(DType.FLOAT32, 2, 3, 4, 5);
        Traced traced = norm.forward(x);
        assertLike(x, traced.value());
        assertLike(x, traced.back(elsewhere(DType.FLOAT32, 2, 3, 4, 5)));
        assertLike(x, norm.predict(x));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void recurrentLayersReadNoMemory(Kind kind) {
    try (var _ = Scope.open()) {
      for (GateNorm norm : GateNorm.values()) {
        var layer = moved(RecurrentLayer.of(Init.he(1), "", kind, norm, 3, 5)).withEpsilon(0);
        Tensor x = elsewhere(DType.FLOAT32, 4, 2, 3);
        var states = new Tensor[kind.states()];
        for (int i = 0; i < states.length; i++) {
          states[i] = elsewhere(DType.FLOAT32, 2, 5);
        }
        var traced = layer.forward(new Sequences(x, new int[] {4, 1}), State.of(states));
        assertEquals(Shape.of(4, 2, 5), traced.value().shape());
        var d = traced.back(elsewhere(DType.FLOAT32, 4, 2, 5), State.of(states));
        assertLike(x, d.dx());
        assertLike(states[0], d.dstart().tensors().getFirst());
        assertLike(
            states[0],
            layer.predict(Sequences.of(x), State.of(states)).value().narrow(0, 0, 1).reshape(2, 5));
      }
    }
  }
}
