package fathom.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import fathom.DType;
import fathom.Layer;
import fathom.PackedConvolution;
import fathom.Param;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.net.CifarNet;
import fathom.net.ImageShape;
import fathom.net.Mlp;
import fathom.net.Norm;
import fathom.net.PhotoNet;
import fathom.net.Shortcut;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class FoldedTest {
  private static final RandomKey DRAW = RandomKey.of(1, "folded");

  private static Layer net(Shortcut shortcut, Norm norm) {
    String name = shortcut == Shortcut.NONE ? "plain14" : "resnet14";
    return asTrained(
        CifarNet.named(name)
            .withShortcut(shortcut)
            .withNorm(norm)
            .withWidth(8)
            .on(new ImageShape(3, 12, 10), 10)
            .build(Init.he(3)));
  }

  private static Layer photoNet(String name) {
    return asTrained(
        PhotoNet.named(name).withWidth(4).on(new ImageShape(3, 40, 36), 10).build(Init.he(3)));
  }

  private static Layer asTrained(Layer net) {
    int i = 0;
    for (Param param : net.state().values()) {
      if (param.value().shape().rank() == 1) { // as after a training, with some tiny variances
        boolean tiny = i < 40; // in every layer of a deep net they would make it overflow
        double[] values = new double[(int) param.value().shape().size(0)];
        for (int k = 0; k < values.length; k++) {
          double u = DRAW.at(i).uniform(k);
          values[k] = param.trained() ? 0.5 + u : tiny && k % 5 == 4 ? 1e-3 * u : 0.2 + u;
        }
        param.value().copy_(values);
      }
      i++;
    }
    return net;
  }

  private static Tensor images(int count) {
    return Tensor.normal(DRAW.at(99), DType.FLOAT32, count, 3, 12, 10);
  }

  @ParameterizedTest
  @EnumSource(Shortcut.class)
  void aFoldedNetPredictsTheSame(Shortcut shortcut) {
    try (var _ = Scope.open()) {
      Layer net = net(shortcut, Norm.BATCH);
      Tensor x = images(3);
      double[] before = x.toDoubles();
      double[] expected = net.predict(x).toDoubles();
      Folded folded = Folded.of(net);
      double[] actual = folded.predict(x).toDoubles();
      double scale = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
      assertArrayEquals(expected, actual, 1e-4 * scale);
      assertArrayEquals(before, x.toDoubles(), "the argument was written into");
      assertArrayEquals(
          expected, net.predict(x).toDoubles(), "the net that it was made of has changed");
    }
  }

  @ParameterizedTest
  @EnumSource(Shortcut.class)
  void inBFloat16ItPredictsNearlyTheSame(Shortcut shortcut) {
    try (var _ = Scope.open()) {
      Layer net = net(shortcut, Norm.BATCH);
      Tensor x = images(16);
      double[] expected = net.predict(x).toDoubles();
      Tensor folded = Folded.of(net, DType.BFLOAT16).predict(x);
      assertEquals(DType.FLOAT32, folded.type());
      double standardDeviation = rms(expected, folded.toDoubles()) / rms(expected, new double[160]);
      // Fourteen roundings by at most 2⁻⁹, and of the weights as many.
      assertTrue(standardDeviation < 28 * 0x1p-9, "a standard deviation of " + standardDeviation);
      assertTrue(standardDeviation > 1e-5, "it was not computed in bfloat16");
    }
  }

  /// Of one row and of many, with a bias and without, and not after a change of the old net.
  @ParameterizedTest
  @ValueSource(ints = {1, 8, 33})
  void packedDenseLayersPredictTheSame(int count) {
    try (var _ = Scope.open()) {
      Layer net =
          Mlp.named("mlp")
              .withHidden(List.of(40, 24))
              .on(new ImageShape(3, 12, 10), 7)
              .build(Init.he(3));
      Tensor x = images(count);
      double[] expected = net.predict(x).toDoubles();
      double[] before = x.toDoubles();
      Folded packed = Folded.of(net, DType.FLOAT32, x.shape());
      net.state().get("linear.bias").value().copy_(new double[] {1, 2, 3, 4, 5, 6, 7});
      assertArrayEquals(expected, packed.predict(x).toDoubles(), 1e-5);
      assertArrayEquals(before, x.toDoubles(), "the argument was written into");
      double[] fewer = packed.predict(x.narrow(0, 0, 1)).toDoubles();
      assertArrayEquals(Arrays.copyOf(expected, 7), fewer, 1e-5);
    }
  }

  /// A packed net predicts what it was packed for, another number of images, and again, the same.
  @ParameterizedTest
  @EnumSource(Shortcut.class)
  void packedItPredictsTheSame(Shortcut shortcut) {
    assumeTrue(PackedConvolution.isSupported(DType.FLOAT32), "libtorch packs no convolutions here");
    try (var _ = Scope.open()) {
      Layer net = net(shortcut, Norm.BATCH);
      for (int packedFor : new int[] {3, 4}) { // four of them are enough for a way by tiles
        Folded packed = Folded.of(net, DType.FLOAT32, Shape.of(packedFor, 3, 12, 10));
        for (int count : new int[] {packedFor, 1, 5, packedFor}) {
          Tensor x = images(count);
          double[] before = x.toDoubles();
          double[] expected = net.predict(x).toDoubles();
          double scale = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
          assertArrayEquals(expected, packed.predict(x).toDoubles(), 1e-4 * scale);
          assertArrayEquals(before, x.toDoubles(), "the argument was written into");
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"resnet18", "plain18", "resnet50"})
  void soDoPackedNetsForPhotos(String name) {
    assumeTrue(PackedConvolution.isSupported(DType.FLOAT32), "libtorch packs no convolutions here");
    try (var _ = Scope.open()) {
      Layer net = photoNet(name);
      Tensor x = Tensor.normal(DRAW.at(98), DType.FLOAT32, 2, 3, 40, 36);
      double[] expected = net.predict(x).toDoubles();
      Folded packed = Folded.of(net, DType.FLOAT32, x.shape());
      double scale = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
      assertArrayEquals(expected, packed.predict(x).toDoubles(), 1e-4 * scale);
    }
  }

  /// A block's sum may be made in the memory of its argument, but not of one that is the caller's.
  @Test
  void aBlockLeavesItsArgumentAsItIs() {
    try (var _ = Scope.open()) {
      Layer block =
          asTrained(
              new Residual(
                  Chain.of(Conv2d.of(Init.he(3), "0", 3, 3, 3, 1), BatchNorm.of(3)),
                  new Identity()));
      Tensor x = images(2).channelsLast();
      double[] before = x.toDoubles();
      double[] expected = block.predict(x).toDoubles();
      for (Layer net : new Layer[] {block, Chain.of(block), Chain.of(new Identity(), block)}) {
        Folded packed = Folded.of(Chain.of(net), DType.FLOAT32, x.shape());
        assertArrayEquals(expected, packed.predict(x).toDoubles(), 1e-4);
        assertArrayEquals(before, x.toDoubles(), "the argument was written into");
      }
    }
  }

  /// One that is given other channels than it was packed for.
  @Test
  void aPackedConvolutionRefusesOtherImages() {
    assumeTrue(PackedConvolution.isSupported(DType.FLOAT32), "libtorch packs no convolutions here");
    try (var _ = Scope.open()) {
      Tensor w = Tensor.zeros(DType.FLOAT32, 4, 3, 3, 3);
      Tensor b = Tensor.zeros(DType.FLOAT32, 4);
      var packed = PackedConvolution.of(w, b, Shape.of(2, 3, 5, 5), 1, 1);
      Tensor other = Tensor.zeros(DType.FLOAT32, 2, 4, 5, 5);
      var e = assertThrows(IllegalArgumentException.class, () -> packed.apply(other, false));
      assertEquals(
          "this convolution is packed for images of 2×3×5×5, but was given 2×4×5×5",
          e.getMessage());
      var wrong =
          assertThrows(
              IllegalArgumentException.class,
              () -> PackedConvolution.of(w, b, Shape.of(2, 5, 5, 5), 1, 1));
      assertTrue(wrong.getMessage().contains("4×3×3×3"), wrong.getMessage());
    }
  }

  private static double rms(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (a[i] - b[i]) * (a[i] - b[i]);
    }
    return Math.sqrt(sum / a.length);
  }

  @Test
  void itsTypeIsOneOfTwo() {
    try (var _ = Scope.open()) {
      Layer net = net(Shortcut.A, Norm.BATCH);
      var e = assertThrows(IllegalArgumentException.class, () -> Folded.of(net, DType.FLOAT64));
      assertEquals(
          "a net predicts with FLOAT32 or BFLOAT16 between its layers, not with FLOAT64",
          e.getMessage());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"resnet18", "plain18", "resnet50"})
  void soDoNetsForPhotos(String name) {
    try (var _ = Scope.open()) {
      Layer net = photoNet(name);
      Tensor x = Tensor.normal(DRAW.at(98), DType.FLOAT32, 2, 3, 40, 36);
      double[] expected = net.predict(x).toDoubles();
      Folded folded = Folded.of(net);
      double scale = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
      assertArrayEquals(expected, folded.predict(x).toDoubles(), 1e-4 * scale);
      checkNoBatchNorm(folded);
    }
  }

  @Test
  void noBatchNormIsLeft() {
    try (var _ = Scope.open()) {
      checkNoBatchNorm(Folded.of(net(Shortcut.B, Norm.BATCH)));
    }
  }

  private static void checkNoBatchNorm(Folded folded) {
    var kinds = new ArrayList<String>();
    for (Piece piece : folded.pieces()) {
      kinds.add(
          (piece instanceof Piece.Untouched plain ? plain.layer() : piece)
              .getClass()
              .getSimpleName());
    }
    assertFalse(kinds.contains("BatchNorm"), kinds.toString());
    assertFalse(kinds.contains("Relu"), kinds.toString());
    assertFalse(kinds.contains("Residual"), kinds.toString());
    assertTrue(kinds.contains("FoldedConvolution"), kinds.toString());
  }

  @ParameterizedTest
  @EnumSource(
      value = Norm.class,
      names = {"LAYER", "NONE", "WEIGHT"})
  void otherNormsStayAsTheyAre(Norm norm) {
    try (var _ = Scope.open()) {
      Layer net = net(Shortcut.A, norm);
      Tensor x = images(2);
      assertArrayEquals(net.predict(x).toDoubles(), Folded.of(net).predict(x).toDoubles());
    }
  }

  /// The anchors become biases of what is before them, also packed.
  @Test
  void anchorsAreFolded() {
    try (var _ = Scope.open()) {
      Layer net = asTrained(net(Shortcut.A, Norm.ANCHORED));
      Tensor x = images(2);
      double[] expected = net.predict(x).toDoubles();
      Folded folded = Folded.of(net);
      assertArrayEquals(expected, folded.predict(x).toDoubles(), 1e-4);
      assertArrayEquals(expected, folded.packedFor(x.shape()).predict(x).toDoubles(), 1e-4);
      assertTrue(
          folded.pieces().stream().noneMatch(p -> p.toString().contains("Anchored")),
          folded.pieces().toString());
    }
  }

  /// What it still reads of the net that it was made of: nothing of what was folded.
  @Test
  void itNamesTheParametersThatItNeeds() {
    try (var _ = Scope.open()) {
      assertEquals(Set.of(), Folded.of(net(Shortcut.B, Norm.BATCH)).params());
      Layer plain = net(Shortcut.A, Norm.LAYER);
      Folded folded = Folded.of(plain);
      Tensor x = images(2);
      double[] expected = plain.predict(x).toDoubles();
      plain.state().values().stream()
          .filter(param -> !folded.params().contains(param))
          .forEach(param -> param.value().release());
      assertArrayEquals(expected, folded.predict(x).toDoubles());
      assertTrue(folded.params().size() < plain.state().size(), "the dense layer's were copied");
    }
  }

  /// A layer that gives its argument's memory, such as a dropout, gives nobody leave to write.
  @Test
  void noPieceWritesThroughAView() {
    try (var _ = Scope.open()) {
      Layer block =
          asTrained(
              new Residual(
                  Chain.of(Conv2d.of(Init.he(3), "0", 3, 3, 3, 1), BatchNorm.of(3)),
                  new Identity()));
      Layer net = Chain.of(new Dropout(0.5, "first"), block);
      Tensor x = images(2).channelsLast();
      double[] before = x.toDoubles();
      double[] expected = net.predict(x).toDoubles();
      assertArrayEquals(expected, Folded.of(net).predict(x).toDoubles(), 1e-4);
      assertArrayEquals(before, x.toDoubles(), "the argument was written into");
      Layer shortcut = Chain.of(new Dropout(0.5, "gap"));
      Layer around = Chain.of(new Residual(((Residual) block).branch(), shortcut));
      assertArrayEquals(expected, Folded.of(around).predict(x).toDoubles(), 1e-4);
      assertArrayEquals(before, x.toDoubles(), "the argument was written into by the shortcut");
    }
  }
}
