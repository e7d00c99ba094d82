package fathom;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.net.Architecture;
import fathom.net.CifarNet;
import fathom.net.ImageShape;
import fathom.net.Norm;
import fathom.net.PhotoNet;
import fathom.net.PreActivationCifarNet;
import fathom.net.Shortcut;
import fathom.nn.AnchoredNorm;
import fathom.nn.AveragePool2d;
import fathom.nn.BatchNorm;
import fathom.nn.Bias;
import fathom.nn.Chain;
import fathom.nn.Conv2d;
import fathom.nn.Dense;
import fathom.nn.Dropout;
import fathom.nn.DynamicTanh;
import fathom.nn.EncoderBlock;
import fathom.nn.Flatten;
import fathom.nn.Fused;
import fathom.nn.Gelu;
import fathom.nn.GlobalAveragePool;
import fathom.nn.GroupNorm;
import fathom.nn.Identity;
import fathom.nn.Init;
import fathom.nn.LayerNorm;
import fathom.nn.MaxPool2d;
import fathom.nn.OverPositions;
import fathom.nn.PaddedSubsample;
import fathom.nn.Recompute;
import fathom.nn.Relu;
import fathom.nn.Residual;
import fathom.nn.RmsNorm;
import fathom.nn.SelfAttention;
import fathom.nn.Sigmoid;
import fathom.nn.StandardizedConv2d;
import fathom.nn.Tanh;
import fathom.nn.Upsample2d;
import fathom.nn.Watched;
import fathom.nn.WeightNorm;
import fathom.nn.WithMoments;
import fathom.nn.ZeroPad2d;
import fathom.recurrent.Encoder;
import fathom.recurrent.LastState;
import fathom.recurrent.Stack;
import fathom.recurrent.TimeDistributed;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// The laws that every layer obeys, over every layer, each alone, inside [Recompute], inside
/// [Residual], inside a [Chain] of three, and used twice with the same weights.
///
/// A new layer is a row in [#layers()] and a case in [Oracle]. Everything is in float64 unless a
/// law says otherwise.
class LayerLawsTest {
  private static final RandomKey DRAW = RandomKey.of(20, "laws");

  // ---- The table

  /// A layer in the innermost scope, and the formulas that [Oracle] does not know.
  record Subject(Layer layer, IdentityHashMap<Layer, Oracle.Formula> formulas) {
    static Subject of(Layer layer) {
      return new Subject(layer, new IdentityHashMap<>());
    }
  }

  interface Maker {
    Subject make(Init init);
  }

  /// A row: how to make the layer, and the shape of its argument.
  record Case(String name, Maker maker, Shape input) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static Case row(String name, Maker maker, long... input) {
    return new Case(name, maker, Shape.of(input));
  }

  private static Case plain(String name, Function<Init, Layer> layer, long... input) {
    return row(name, init -> Subject.of(layer.apply(init)), input);
  }

  private static List<Case> layers() {
    return List.of(
        plain("Dense", i -> Dense.of(i, "", 5, 4), 3, 5),
        plain("Dense 4→4", i -> Dense.of(i, "", 4, 4), 3, 4),
        plain("Dense of one row", i -> Dense.of(i, "", 3, 2), 1, 3),
        plain("Conv2d 3×3", i -> Conv2d.of(i, "", 3, 3, 3, 1), 2, 3, 5, 4),
        plain("Conv2d 3×3, stride 2, odd", i -> Conv2d.of(i, "", 2, 4, 3, 2), 2, 2, 5, 7),
        plain("Conv2d 3×3, stride 2, even", i -> Conv2d.of(i, "", 2, 3, 3, 2), 2, 2, 4, 6),
        plain("Conv2d 1×1", i -> Conv2d.of(i, "", 3, 5, 1, 1), 2, 3, 3, 4),
        plain("Conv2d 1×1, stride 2", i -> Conv2d.of(i, "", 3, 2, 1, 2), 2, 3, 5, 4),
        plain("Conv2d 3×3, in tiles", i -> Conv2d.of(i, "", 16, 32, 3, 1), 9, 16, 7, 8),
        plain("Conv2d of one pixel", i -> Conv2d.of(i, "", 1, 1, 3, 1), 1, 1, 1, 1),
        plain("Relu", _ -> new Relu(), 4, 7),
        plain("Relu of images", _ -> new Relu(), 2, 3, 4, 5),
        plain("Sigmoid", _ -> new Sigmoid(), 4, 7),
        plain("Tanh", _ -> new Tanh(), 2, 3, 4, 5),
        plain("MaxPool2d 2×2", _ -> new MaxPool2d(2, 2, 0), 2, 3, 6, 4),
        plain("MaxPool2d 3×3, stride 2, odd", _ -> new MaxPool2d(3, 2, 1), 2, 2, 7, 5),
        plain("MaxPool2d 3×3, overlapping", _ -> new MaxPool2d(3, 1, 1), 2, 2, 4, 5),
        plain("AveragePool2d 2×2, odd", _ -> new AveragePool2d(2), 2, 3, 5, 4),
        plain("AveragePool2d 3×3", _ -> new AveragePool2d(3), 2, 2, 7, 5),
        plain("ZeroPad2d", _ -> new ZeroPad2d(2), 2, 3, 2, 1),
        plain("Upsample2d by 2", _ -> new Upsample2d(2), 2, 3, 4, 5),
        plain("Upsample2d by 3", _ -> new Upsample2d(3), 1, 2, 3, 1),
        plain("GlobalAveragePool", _ -> new GlobalAveragePool(), 3, 4, 3, 5),
        plain("Flatten", _ -> new Flatten(), 2, 3, 2, 4),
        plain("PaddedSubsample 2→4, stride 2", _ -> new PaddedSubsample(2, 2, 4), 2, 2, 5, 4),
        plain("PaddedSubsample 2→5, stride 1", _ -> new PaddedSubsample(1, 2, 5), 2, 2, 3, 3),
        plain("PaddedSubsample 3→3, stride 3", _ -> new PaddedSubsample(3, 3, 3), 2, 3, 7, 5),
        plain("BatchNorm of features", _ -> BatchNorm.of(5), 6, 5),
        plain("BatchNorm of images", _ -> BatchNorm.of(3), 3, 3, 4, 5),
        plain("BatchNorm of one channel", _ -> BatchNorm.of(1), 2, 1, 3, 3),
        plain("LayerNorm of features", _ -> LayerNorm.of(7), 3, 7),
        plain("LayerNorm of images", _ -> LayerNorm.of(3, 4, 2), 2, 3, 4, 2),
        plain("LayerNorm of one feature", _ -> LayerNorm.of(1), 3, 1),
        plain("LayerNorm of 33 features", _ -> LayerNorm.of(33), 2, 33),
        plain("LayerNorm of one pixel", _ -> LayerNorm.of(5, 1, 1), 2, 5, 1, 1),
        plain("LayerNorm without gains", _ -> LayerNorm.plain(3, 2), 3, 3, 2),
        plain("LayerNorm, ε = 0.3", _ -> LayerNorm.of(6).withEpsilon(0.3), 3, 6),
        plain("LayerNorm per position", _ -> LayerNorm.ofPosition(5), 2, 5, 3, 2),
        plain("LayerNorm per position of features", _ -> LayerNorm.ofPosition(5), 3, 5),
        plain("LayerNorm of T×N×F", _ -> LayerNorm.ofLast(5), 2, 3, 5),
        plain("LayerNorm of the last of four", _ -> LayerNorm.ofLast(4).plain(), 2, 3, 2, 4),
        plain("RmsNorm of features", _ -> RmsNorm.of(7), 3, 7),
        plain("RmsNorm of one feature", _ -> RmsNorm.of(1), 4, 1),
        plain("RmsNorm of images", _ -> RmsNorm.of(3, 4, 2), 2, 3, 4, 2),
        plain("RmsNorm per position", _ -> RmsNorm.ofPosition(3).plain(), 2, 3, 4, 2),
        plain("RmsNorm of T×N×F", _ -> RmsNorm.ofLast(17).withEpsilon(0.1), 2, 2, 17),
        plain("GroupNorm of features", _ -> GroupNorm.of(2, 6), 3, 6),
        plain("GroupNorm of images", _ -> GroupNorm.of(2, 4), 2, 4, 3, 5),
        plain("GroupNorm of one group", _ -> GroupNorm.of(1, 3).withEpsilon(0.1), 2, 3, 2, 2),
        plain("GroupNorm of instances", _ -> GroupNorm.instance(3), 2, 3, 4, 3),
        plain("Bias of features", _ -> Bias.of(5), 3, 5),
        plain("Bias of images", _ -> Bias.of(3), 2, 3, 4, 2),
        plain("DynamicTanh of features", _ -> DynamicTanh.of(0.5, 5), 3, 5),
        plain("DynamicTanh of images", _ -> DynamicTanh.of(0.8, 3), 2, 3, 4, 2),
        plain("WithMoments", _ -> new WithMoments(LayerNorm.of(5)), 3, 5),
        plain("WithMoments of images", _ -> new WithMoments(LayerNorm.of(3, 4, 2)), 2, 3, 4, 2),
        plain("WithMoments of one feature", _ -> new WithMoments(LayerNorm.plain(1)), 3, 1),
        plain("AnchoredNorm of features", _ -> AnchoredNorm.ofFeatures(5), 3, 5),
        plain("AnchoredNorm of images", _ -> AnchoredNorm.ofImages(3), 2, 3, 4, 2),
        plain("AnchoredNorm by RMS", _ -> AnchoredNorm.of(4, RmsNorm.of(4)), 3, 4),
        plain("AnchoredNorm drawn", i -> AnchoredNorm.ofFeatures(5).drawn(i, ""), 3, 5),
        row("Fused dense layer and anchored norm", i -> fused(anchored(i)), 3, 4),
        row("Fused convolutions and anchored norms", i -> fused(anchoredImages(i)), 2, 2, 4, 3),
        plain("Dense without bias", i -> Dense.withoutBias(i, "", 5, 4), 3, 5),
        plain("WeightNorm of Dense", i -> WeightNorm.of(Dense.of(i, "", 5, 4)), 3, 5),
        plain("WeightNorm of Conv2d", i -> WeightNorm.of(Conv2d.of(i, "", 3, 3, 3, 1)), 2, 3, 5, 4),
        plain(
            "StandardizedConv2d",
            i -> StandardizedConv2d.of(Conv2d.of(i, "", 3, 3, 3, 1)),
            2,
            3,
            5,
            4),
        plain(
            "StandardizedConv2d 1×1, stride 2, ε = 0.2",
            i -> StandardizedConv2d.of(Conv2d.of(i, "", 5, 3, 1, 2)).withEpsilon(0.2),
            2,
            5,
            5,
            4),
        plain("Gelu", _ -> new Gelu(), 3, 4, 5),
        plain("Dropout", _ -> new Dropout(0.3, "a"), 5, 4),
        plain("Dropout of images", _ -> new Dropout(0.5, "b"), 3, 2, 4, 5),
        plain("OverPositions", i -> new OverPositions(Dense.of(i, "", 4, 5)), 2, 3, 4),
        plain("SelfAttention", i -> SelfAttention.of(i, "", 4, 2, false), 2, 3, 4),
        plain("SelfAttention, causal", i -> SelfAttention.of(i, "", 6, 3, true), 3, 5, 6),
        plain("SelfAttention of one head", i -> SelfAttention.of(i, "", 3, 1, true), 1, 4, 3),
        plain("EncoderBlock, pre-norm", i -> EncoderBlock.preNorm(i, "", 4, 2, true), 2, 3, 4),
        plain("EncoderBlock, post-norm", i -> EncoderBlock.postNorm(i, "", 4, 2, false), 2, 3, 4),
        plain(
            "LastState of an encoder",
            i -> new LastState(Encoder.of(i, "", 5, 4, 1, 2), 4),
            2,
            3,
            4),
        plain("LastState of images", LayerLawsTest::overRows, 3, 2, 4, 3),
        plain("Identity", _ -> new Identity(), 3, 2, 2, 4),
        plain("Chain of none", _ -> Chain.of(), 3, 4),
        plain("Chain of one", i -> Chain.of(Dense.of(i, "0", 4, 3)), 2, 4),
        plain("Chain", i -> Chain.of(dense(i, "0"), new Tanh(), dense(i, "2")), 3, 4),
        plain("Residual over one layer", i -> new Residual(dense(i, "")), 3, 4),
        plain(
            "Residual over two layers",
            i -> new Residual(Chain.of(dense(i, "0"), new Sigmoid())),
            3,
            4),
        plain(
            "Residual over three layers",
            i -> new Residual(Chain.of(dense(i, "0"), new Tanh(), dense(i, "2"))),
            3,
            4),
        plain("Residual from the second to the last layer", LayerLawsTest::skips, 3, 4),
        plain("Residual from first to last", i -> new Residual(Chain.of(skips(i), skips(i))), 3, 4),
        plain(
            "Residual with a projection",
            i -> new Residual(Conv2d.of(i, "", 2, 3, 3, 2), Conv2d.of(i, "shortcut", 2, 3, 1, 2)),
            2,
            2,
            5,
            4),
        plain("Residual block", i -> block(i, 3, 3, 1), 3, 3, 4, 4),
        plain("Residual block, option B", i -> block(i, 2, 4, 2), 3, 2, 5, 5),
        plain("Recompute of batch norm", _ -> new Recompute(BatchNorm.of(3)), 3, 3, 2, 4),
        plain(
            "Recompute twice over",
            i -> new Recompute(Chain.of(new Recompute(block(i, 3, 3, 1)), new Relu())),
            3,
            3,
            4,
            4),
        plain(
            "Watched",
            i -> Watched.leaves(block(i, 2, 2, 1), new Watched.Observer() {}),
            3,
            2,
            4,
            3),
        row("Autograd", LayerLawsTest::custom, 4, 3),
        row(
            "Fused norm and rectifier",
            i -> fused(Chain.of(BatchNorm.of(3), new Relu())),
            3,
            3,
            4,
            2),
        row("Fused block", i -> fused(Chain.of(block(i, 3, 3, 1), new Relu())), 3, 3, 4, 4),
        row(
            "Fused block, option B",
            i -> fused(Chain.of(block(i, 2, 4, 2), new Relu())),
            3,
            2,
            5,
            5),
        row(
            "Fused block of a norm alone",
            i -> fused(Chain.of(new Residual(Chain.of(BatchNorm.of(2))), new Relu())),
            3,
            2,
            3,
            3),
        plain("CifarNet plain", i -> net(Shortcut.NONE, Norm.BATCH).build(i), 4, 2, 5, 6),
        plain("CifarNet, option A", i -> net(Shortcut.A, Norm.BATCH).build(i), 4, 2, 5, 6),
        plain("CifarNet, option B", i -> net(Shortcut.B, Norm.BATCH).build(i), 4, 2, 5, 6),
        plain("CifarNet, option C", i -> net(Shortcut.C, Norm.BATCH).build(i), 4, 2, 5, 6),
        row(
            "Fused addition and layer norm",
            i -> fused(Chain.of(new Residual(dense(i, "0")), LayerNorm.of(4))),
            3,
            4),
        row(
            "Fused addition and layer norm of images",
            i -> fused(Chain.of(new Residual(new Tanh()), LayerNorm.of(3, 2, 4))),
            2,
            3,
            2,
            4),
        row(
            "Fused additions of projections and layer norms",
            i ->
                fused(
                    Chain.of(
                        new Residual(Conv2d.of(i, "0", 2, 3, 3, 1), Conv2d.of(i, "s", 2, 3, 1, 1)),
                        LayerNorm.ofPosition(3),
                        new Residual(new Tanh()),
                        LayerNorm.ofPosition(3).plain())),
            2,
            2,
            3,
            4),
        plain("CifarNet with layer norm", i -> net(Shortcut.A, Norm.LAYER).build(i), 3, 2, 5, 6),
        plain("CifarNet per position", i -> net(Shortcut.B, Norm.POSITION).build(i), 3, 2, 5, 6),
        plain("CifarNet, anchored", i -> net(Shortcut.A, Norm.ANCHORED).build(i), 3, 2, 5, 6),
        plain("CifarNet with RMS norm", i -> net(Shortcut.A, Norm.RMS).build(i), 3, 2, 5, 6),
        plain("CifarNet with group norm", i -> net(Shortcut.B, Norm.GROUP).build(i), 3, 2, 5, 6),
        plain("CifarNet with weight norm", i -> net(Shortcut.C, Norm.WEIGHT).build(i), 3, 2, 5, 6),
        plain("CifarNet without norm", i -> net(Shortcut.NONE, Norm.NONE).build(i), 3, 2, 5, 6),
        row("CifarNet, fused", i -> fused(net(Shortcut.A, Norm.BATCH).build(i)), 4, 2, 5, 6),
        plain("Bottleneck, projection", i -> bottleneck(i, 2, 1), 3, 2, 4, 3),
        plain("Bottleneck, projection at stride 2", i -> bottleneck(i, 3, 2), 3, 3, 5, 4),
        row("Fused bottleneck, projection", i -> fused(bottleneck(i, 3, 2)), 3, 3, 5, 4),
        plain("PhotoNet of basic blocks", i -> photos().build(i), 4, 2, 40, 37),
        row("PhotoNet, fused", i -> fused(photos().build(i)), 4, 2, 40, 37),
        plain("ResNet-D", i -> tricks().build(i), 4, 2, 40, 37),
        row("ResNet-D, fused", i -> fused(tricks().build(i)), 4, 2, 40, 37),
        plain("Pre-activation, option A", i -> pre(Shortcut.A, Norm.BATCH).build(i), 4, 2, 5, 6),
        plain("Pre-activation, option B", i -> pre(Shortcut.B, Norm.BATCH).build(i), 4, 2, 5, 6),
        plain("Pre-activation, option C", i -> pre(Shortcut.C, Norm.LAYER).build(i), 4, 2, 5, 6),
        plain("Pre-activation bottlenecks", i -> bottlenecks().build(i), 4, 2, 5, 6),
        row("Pre-activation, fused", i -> fused(bottlenecks().build(i)), 4, 2, 5, 6),
        plain("Pre-activation, standardized", i -> standardized().build(i), 3, 2, 12, 13));
  }

  /// Each row's 2·3 numbers in 4, and an encoder over the rows.
  private static Layer overRows(Init i) {
    return new LastState(
        new Stack(
            List.of(new TimeDistributed(Dense.of(i, "0", 6, 4)), Encoder.of(i, "1", 4, 4, 1, 1))),
        6);
  }

  private static Layer dense(Init init, String path) {
    return Dense.of(init, path, 4, 4);
  }

  private static Layer anchored(Init i) {
    return Chain.of(
        Dense.withoutBias(i, "0", 4, 5),
        AnchoredNorm.ofFeatures(5),
        new Tanh(),
        Dense.of(i, "3", 5, 4), // has a bias, so the anchor stays where it is
        AnchoredNorm.of(4, RmsNorm.of(4)));
  }

  private static Layer anchoredImages(Init i) {
    return Chain.of(
        Conv2d.of(i, "0", 2, 3, 3, 1),
        AnchoredNorm.ofImages(3),
        new Residual(
            Chain.of(new Tanh(), Conv2d.of(i, "1", 3, 3, 1, 1), AnchoredNorm.ofImages(3))));
  }

  private static Layer skips(Init i) {
    return Chain.of(
        dense(i, "0"), new Residual(Chain.of(new Tanh(), dense(i, "1"))), new Sigmoid());
  }

  private static Layer block(Init i, int in, int out, int stride) {
    var branch =
        Chain.of(
            Conv2d.of(i, "0", in, out, 3, stride),
            BatchNorm.of(out),
            new Relu(),
            Conv2d.of(i, "3", out, out, 3, 1),
            BatchNorm.of(out));
    return stride == 1
        ? new Residual(branch)
        : new Residual(
            branch, Chain.of(Conv2d.of(i, "shortcut", in, out, 1, stride), BatchNorm.of(out)));
  }

  /// A bottleneck to four channels, with the projection of a stage's first block.
  private static Layer bottleneck(Init i, int in, int stride) {
    var branch =
        Chain.of(
            Conv2d.of(i, "0", in, 2, 1, 1),
            BatchNorm.of(2),
            new Relu(),
            Conv2d.of(i, "3", 2, 2, 3, stride),
            BatchNorm.of(2),
            new Relu(),
            Conv2d.of(i, "6", 2, 4, 1, 1),
            BatchNorm.of(4));
    var projection = Chain.of(Conv2d.of(i, "downsample", in, 4, 1, stride), BatchNorm.of(4));
    return Chain.of(new Residual(branch, projection, "downsample"), new Relu());
  }

  /// Not so small that a norm in the last stage has a handful of pixels: that is ill-conditioned.
  private static PhotoNet photos() {
    return new PhotoNet(18, Shortcut.B, Norm.BATCH, 2, new ImageShape(2, 40, 37), 3);
  }

  /// The 18 layers of the form D with 2 channels, 1 in the stem.
  private static PhotoNet tricks() {
    return PhotoNet.named("resnet18d").withWidth(2).on(new ImageShape(2, 40, 37), 3);
  }

  private static PreActivationCifarNet pre(Shortcut shortcut, Norm norm) {
    return new PreActivationCifarNet(8, shortcut, norm, 2, new ImageShape(2, 5, 6), 3, 0, false);
  }

  private static PreActivationCifarNet bottlenecks() {
    return new PreActivationCifarNet(
        11, Shortcut.B, Norm.BATCH, 2, new ImageShape(2, 5, 6), 3, 0, false);
  }

  /// A group is of one channel here; its twelve pixels in the last stage are not ill-conditioned.
  /// Of a projection with two inputs nothing but signs would be left by standardization.
  private static Architecture.Convolutional standardized() {
    return pre(Shortcut.B, Norm.STANDARDIZED).withWidth(4).on(new ImageShape(2, 12, 13), 3);
  }

  private static CifarNet net(Shortcut shortcut, Norm norm) {
    return new CifarNet(8, shortcut, norm, 2, new ImageShape(2, 5, 6), 3);
  }

  private static Subject fused(Layer plain) {
    Layer layer = Fused.of(plain);
    return new Subject(layer, formula(layer, (oracle, x) -> oracle.value(plain, x)));
  }

  /// y = tanh(x·A) + x∘x·b
  private static Subject custom(Init init) {
    Param a = Param.of(init.weights("a", 3, 3, 2));
    Param b = Param.of(init.weights("b", 3, 3, 1));
    Layer layer =
        Autograd.layer(x -> x.matmul(a.value()).tanh().plus(x.square().matmul(b.value())), a, b);
    return new Subject(
        layer,
        formula(
            layer,
            (_, x) -> {
              Tensor e = x.matmul(a.value()).times(2).exp();
              return e.plus(-1).dividedBy(e.plus(1)).plus(x.times(x).matmul(b.value()));
            }));
  }

  private static IdentityHashMap<Layer, Oracle.Formula> formula(
      Layer layer, Oracle.Formula formula) {
    var formulas = new IdentityHashMap<Layer, Oracle.Formula>();
    formulas.put(layer, formula);
    return formulas;
  }

  // ---- What surrounds a layer

  /// Each row alone and in all surroundings; where another form of the kernels than the usual was
  /// asked for, which the surroundings do not know of, in one of them, by turns.
  private static Stream<Case> cases() {
    boolean all = System.getProperty("fathom.kernels") == null || Boolean.getBoolean("fathom.long");
    List<Case> rows = layers();
    return IntStream.range(0, rows.size())
        .boxed()
        .flatMap(i -> {
          List<Case> surrounded = surrounded(rows.get(i));
          return Stream.concat(
              Stream.of(rows.get(i)),
              all ? surrounded.stream() : Stream.of(surrounded.get(i % surrounded.size())));
        });
  }

  private static List<Case> surrounded(Case c) {
    return List.of(
        around("Recompute of ", c, s -> new Recompute(s.getFirst()), 1),
        around("Residual over ", c, s -> residual(s, c), 2),
        around("Chain of ", c, s -> chain(s, c), 3),
        around("used twice: ", c, LayerLawsTest::twice, 1));
  }

  private static Case around(
      String where, Case c, Function<List<Layer>, Layer> surround, int copies) {
    return new Case(
        where + c.name,
        init -> {
          var layers = new ArrayList<Layer>();
          var formulas = new IdentityHashMap<Layer, Oracle.Formula>();
          for (int i = 0; i < copies; i++) {
            Subject copy = c.maker.make(init.in("copy" + i));
            layers.add(copy.layer);
            formulas.putAll(copy.formulas);
          }
          return new Subject(surround.apply(layers), formulas);
        },
        c.input);
  }

  private static Layer residual(List<Layer> copies, Case c) {
    return keepsShape(copies.getFirst(), c)
        ? new Residual(copies.getFirst())
        : new Residual(Chain.of(copies.get(0)), copies.get(1));
  }

  private static Layer chain(List<Layer> copies, Case c) {
    return keepsShape(copies.getFirst(), c)
        ? Chain.of(copies.toArray(Layer[]::new))
        : Chain.of(new Tanh(), copies.getFirst(), new Sigmoid());
  }

  private static Layer twice(List<Layer> copies) {
    Layer layer = copies.getFirst();
    return new Residual(Chain.of(new Tanh(), layer), layer);
  }

  private static boolean keepsShape(Layer layer, Case c) {
    try (var _ = Scope.open()) {
      Tensor x = Tensor.zeros(DType.FLOAT32, c.input.toArray());
      return layer.predict(x).shape().equals(c.input);
    }
  }

  // ---- One trial: a layer with weights, gains and statistics that are nothing special

  private static final class Trial {
    final Layer layer;
    final IdentityHashMap<Layer, Oracle.Formula> formulas;
    final Shape input;
    final DType type;

    Trial(Case c, DType type) {
      Subject subject = c.maker.make(Init.he(3));
      this.layer = subject.layer;
      this.formulas = subject.formulas;
      this.input = c.input;
      this.type = type;
      layer
          .state()
          .forEach((path, param) -> {
            param.convert(DType.FLOAT64);
            Tensor noise = Tensor.normal(RandomKey.of(4, path + "."), DType.FLOAT64, sizes(param));
            param.value().add_(noise.times(0.3));
            if (path.endsWith("running_var")) {
              param.value().copy_(param.value().square().plus(0.1));
            }
            param.convert(DType.FLOAT32); // the same numbers in either type
            param.convert(type == DType.BFLOAT16 ? DType.FLOAT32 : type);
          });
    }

    private static long[] sizes(Param param) {
      return param.value().shape().toArray();
    }

    /// Numbers from -2 to 2 at equal distances, in any order: none is near a kink of the rectifier
    /// at zero or of the largest of some others.
    Tensor x() {
      int n = Math.toIntExact(input.elements());
      int[] order = DRAW.permutation(n);
      double[] elements = new double[n];
      for (int i = 0; i < n; i++) {
        elements[i] = 4 * (order[i] + 0.5) / n - 2 + (n % 2 == 0 ? 0 : 1.0 / n);
      }
      return Tensor.of(elements, input.toArray()).to(DType.FLOAT32).to(type);
    }

    Tensor cotangent(Tensor y, int which) {
      return Tensor.normal(DRAW.at(which), DType.FLOAT64, y.shape().toArray())
          .to(DType.FLOAT32)
          .to(y.type());
    }

    /// dE/dx and the gradients of parameters by their paths, of a fresh forward.
    Map<String, double[]> back(Layer by, Tensor x, Tensor dy) {
      return gradients(by.forward(x).back(dy));
    }

    Map<String, double[]> gradients(Tensor dx) {
      var all = parameterGradients();
      all.put("the argument", dx.toDoubles());
      return all;
    }

    /// Reads the gradients and sets them to zero.
    Map<String, double[]> parameterGradients() {
      var all = new LinkedHashMap<String, double[]>();
      layer
          .state()
          .forEach((path, param) -> {
            if (param.trained()) {
              all.put(path, param.grad().toDoubles());
              param.grad().zero_();
            }
          });
      return all;
    }

    Map<String, double[]> state() {
      var all = new LinkedHashMap<String, double[]>();
      layer.state().forEach((path, param) -> all.put(path, param.value().toDoubles()));
      return all;
    }

    boolean hasBatchNorm() {
      return layer.state().values().stream().anyMatch(param -> !param.trained());
    }

    Oracle oracle(boolean training) {
      return new Oracle(training, formulas);
    }
  }

  // ---- The laws

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void theValueIsTheOracles(Case c) {
    try (var _ = Scope.open()) {
      var t = new Trial(c, DType.FLOAT64);
      Tensor x = t.x();
      Tensor expected = t.oracle(true).value(t.layer, x);
      Tensor y = t.layer.forward(x).value();
      assertEquals(expected.shape(), y.shape(), "the value has another shape than the oracle's");
      assertEquals(DType.FLOAT64, y.type(), "the value has another type than the argument");
      assertClose("the value differs from the oracle's", expected, y, 1e-10);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void theShapeIsKnownWithoutTheValue(Case c) {
    try (var _ = Scope.open()) {
      var t = new Trial(c, DType.FLOAT32);
      assertEquals(t.layer.predict(t.x()).shape(), t.layer.shape(c.input));
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void backIsAutograds(Case c) {
    try (var _ = Scope.open()) {
      var t = new Trial(c, DType.FLOAT64);
      Tensor x = t.x();
      Traced traced = t.layer.forward(x);
      Tensor dy = t.cotangent(traced.value(), 1);
      var actual = t.gradients(traced.back(dy));
      Oracle oracle = t.oracle(true);
      Layer differentiated =
          Autograd.layer(a -> oracle.value(t.layer, a), t.layer.params().toArray(Param[]::new));
      var expected = t.back(differentiated, x, dy);
      assertClose("differs from libtorch's autograd", expected, actual, 1e-10);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void backAgreesWithCentralDifferences(Case c) {
    try (var _ = Scope.open()) {
      var t = new Trial(c, DType.FLOAT64);
      Tensor x = t.x();
      Traced traced = t.layer.forward(x);
      Tensor dy = t.cotangent(traced.value(), 1);
      var gradients = t.gradients(traced.back(dy));
      for (int i = 0; i < 3; i++) {
        Tensor direction = direction(x, i);
        double slope = slope(h -> t.layer.forward(x.plus(direction.times(h))).value(), dy);
        assertSlope("the argument", slope, gradients.get("the argument"), direction);
      }
      t.layer
          .state()
          .forEach((path, param) -> {
            if (param.trained()) {
              Tensor direction = direction(param.value(), 4);
              double slope = slope(h -> moved(t.layer, x, param, direction.times(h)), dy);
              assertSlope(path, slope, gradients.get(path), direction);
            }
          });
    }
  }

  private static Tensor direction(Tensor like, int which) {
    return Tensor.normal(DRAW.at(100 + which), DType.FLOAT64, like.shape().toArray());
  }

  private static Tensor moved(Layer layer, Tensor x, Param param, Tensor by) {
    Tensor value = param.value();
    param.bind(value.plus(by), param.grad());
    try {
      return layer.forward(x).value();
    } finally {
      param.bind(value, param.grad());
    }
  }

  private interface Line {
    Tensor at(double h);
  }

  /// d/dh Σ dy·line(h) at 0.
  private static double slope(Line line, Tensor dy) {
    double h = 1e-6;
    try (var _ = Scope.open()) {
      return line.at(h).minus(line.at(-h)).times(dy).sum().item() / (2 * h);
    }
  }

  private static void assertSlope(String what, double slope, double[] gradient, Tensor direction) {
    double[] d = direction.toDoubles();
    double expected = 0;
    double size = 0;
    for (int i = 0; i < d.length; i++) {
      expected += gradient[i] * d[i];
      size += Math.abs(gradient[i] * d[i]);
    }
    if (!(Math.abs(slope - expected) <= 1e-6 * Math.max(size, 0.01))) {
      throw new AssertionError(
          "the gradient of %s differs from central differences: along one direction it is %s, they say %s"
              .formatted(what, expected, slope));
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void backIsLinear(Case c) {
    try (var _ = Scope.open()) {
      var t = new Trial(c, DType.FLOAT64);
      Tensor x = t.x();
      Tensor y = t.layer.forward(x).value();
      Tensor u = t.cotangent(y, 1);
      Tensor v = t.cotangent(y, 2);
      var ofU = t.back(t.layer, x, u);
      var ofV = t.back(t.layer, x, v);
      var ofSum = t.back(t.layer, x, u.times(2.5).plus(v.times(-0.75)));
      ofU.replaceAll((path, g) -> {
        double[] combined = new double[g.length];
        for (int i = 0; i < g.length; i++) {
          combined[i] = 2.5 * g[i] - 0.75 * ofV.get(path)[i];
        }
        return combined;
      });
      assertClose("is not linear in the cotangent", ofU, ofSum, 1e-10);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void aWrongCotangentIsRefused(Case c) {
    try (var _ = Scope.open()) {
      var t = new Trial(c, DType.FLOAT64);
      Traced traced = t.layer.forward(t.x());
      Shape shape = traced.value().shape();
      long[] longer = shape.toArray();
      longer[0]++;
      long[] flat = {shape.elements()};
      for (Tensor wrong :
          List.of(
              Tensor.zeros(DType.FLOAT64, longer),
              Tensor.zeros(DType.FLOAT64, flat),
              Tensor.zeros(DType.FLOAT64),
              Tensor.zeros(DType.FLOAT32, shape.toArray()))) {
        for (Runnable way :
            List.<Runnable>of(() -> traced.back(wrong), () -> traced.accumulate(wrong))) {
          var e =
              assertThrows(
                  IllegalArgumentException.class,
                  way::run,
                  "the cotangent %s of a value %s was accepted".formatted(wrong, shape));
          for (Object part : List.of(shape, wrong.shape(), DType.FLOAT64, wrong.type())) {
            assertTrue(
                e.getMessage().contains(part.toString()),
                "the message does not say %s: %s".formatted(part, e.getMessage()));
          }
        }
      }
      t.parameterGradients()
          .forEach((path, g) ->
              assertArrayEquals(
                  new double[g.length], g, "a refused cotangent changed the gradient of " + path));
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void nothingIsChangedButGradientsAndStatistics(Case c) {
    try (var _ = Scope.open()) {
      var t = new Trial(c, DType.FLOAT64);
      Tensor x = t.x();
      double[] xBefore = x.toDoubles();
      var before = t.state();
      Traced traced = t.layer.forward(x);
      assertSameState("forward changed", before, t.state(), true);
      assertArrayEquals(xBefore, x.toDoubles(), "forward changed its argument");
      double[] yBefore = traced.value().toDoubles();
      Tensor dy = t.cotangent(traced.value(), 1);
      double[] dyBefore = dy.toDoubles();
      traced.back(dy);
      assertArrayEquals(xBefore, x.toDoubles(), "back changed the argument");
      assertArrayEquals(yBefore, traced.value().toDoubles(), "back changed the value");
      assertArrayEquals(dyBefore, dy.toDoubles(), "back changed the cotangent");
      assertSameState("back changed", before, t.state(), false);
      var after = t.state();
      var gradients = t.parameterGradients();
      t.layer.predict(x);
      assertArrayEquals(xBefore, x.toDoubles(), "predict changed its argument");
      assertSameState("predict changed", after, t.state(), true);
      assertTrue(
          t.parameterGradients().values().stream()
              .allMatch(g -> Arrays.stream(g).allMatch(v -> v == 0)),
          "predict changed a gradient");
      assertEquals(t.layer.params().size(), gradients.size(), "a parameter is listed twice");
    }
  }

  /// @param buffers whether running statistics must be the same, too
  private static void assertSameState(
      String message, Map<String, double[]> before, Map<String, double[]> after, boolean buffers) {
    before.forEach((path, values) -> {
      if (buffers || !path.contains("running_")) {
        assertArrayEquals(values, after.get(path), message + " " + path);
      }
    });
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void runningStatisticsMoveOncePerUseOnTheWayBack(Case c) {
    try (var _ = Scope.open()) {
      var t = new Trial(c, DType.FLOAT64);
      Tensor x = t.x();
      Oracle oracle = t.oracle(true);
      oracle.value(t.layer, x);
      for (boolean accumulate : new boolean[] {false, true}) {
        var expected = new IdentityHashMap<Param, double[]>();
        oracle
            .moments()
            .forEach((norm, uses) -> {
              double[] mean = norm.runningMean().value().toDoubles();
              double[] variance = norm.runningVariance().value().toDoubles();
              for (Oracle.Moments m : uses) {
                move(mean, m.mean());
                move(variance, m.variance());
              }
              expected.put(norm.runningMean(), mean);
              expected.put(norm.runningVariance(), variance);
            });
        assertEquals(
            t.layer.state().values().stream().filter(p -> !p.trained()).count(), expected.size());
        Traced traced = t.layer.forward(x);
        Tensor dy = t.cotangent(traced.value(), 1);
        if (accumulate) {
          traced.accumulate(dy);
        } else {
          traced.back(dy);
        }
        t.layer
            .state()
            .forEach((path, param) -> {
              if (!param.trained()) {
                assertClose(
                    path + " did not move by a tenth, once for each use",
                    expected.get(param),
                    param.value().toDoubles(),
                    1e-10);
              }
            });
      }
    }
  }

  private static void move(double[] running, double[] now) {
    for (int i = 0; i < running.length; i++) {
      running[i] = 0.9 * running[i] + 0.1 * now[i];
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void noTensorIsReturnedThatWasGiven(Case c) {
    try (var _ = Scope.open()) {
      var t = new Trial(c, DType.FLOAT64);
      Tensor x = t.x();
      Traced traced = t.layer.forward(x);
      assertNotSame(x, traced.value(), "forward returned its argument");
      assertNotSame(x, t.layer.predict(x), "predict returned its argument");
      Tensor dy = t.cotangent(traced.value(), 1);
      Tensor dx = traced.back(dy);
      assertNotSame(dy, dx, "back returned the cotangent that it was given");
      assertNotSame(x, dx, "back returned the argument");
      assertEquals(x.shape(), dx.shape(), "dE/dx has another shape than x");
      assertEquals(x.type(), dx.type(), "dE/dx has another type than x");
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void predictIsForwardsValueOrThatOfRunningStatistics(Case c) {
    try (var _ = Scope.open()) {
      var t = new Trial(c, DType.FLOAT64);
      Tensor x = t.x();
      Tensor y = t.layer.predict(x);
      Tensor expected = t.oracle(false).value(t.layer, x);
      assertEquals(expected.shape(), y.shape(), "predict gives another shape");
      assertClose("predict differs from the oracle with running statistics", expected, y, 1e-10);
      if (!t.hasBatchNorm() && !drops(t.layer)) {
        assertArrayEquals(
            t.layer.forward(x).value().toDoubles(),
            y.toDoubles(),
            "without batch norm and dropout, predict gives forward's value");
      }
    }
  }

  private static boolean drops(Layer layer) {
    return layer instanceof Dropout || layer.children().stream().anyMatch(c -> drops(c.layer()));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void allIsFreedButWhatIsReturned(Case c) {
    long tensors = Tensor.live();
    long bytes = Tensor.liveBytes();
    long pointers = Pointer.totalCount();
    try (var _ = Scope.open()) {
      var t = new Trial(c, DType.FLOAT64);
      Tensor x = t.x();
      Tensor dy = t.cotangent(t.layer.forward(x).value(), 1);
      assertLeaves(1, "predict", () -> t.layer.predict(x));
      Traced traced = t.layer.forward(x);
      assertLeaves(1, "back", () -> traced.back(dy));
      Traced again = t.layer.forward(x);
      assertLeaves(
          0,
          "accumulate",
          () -> {
            again.accumulate(dy);
            return x;
          });
      try (var scope = Scope.open()) {
        scope.keep(t.layer.forward(x).value());
      }
    }
    assertEquals(tensors, Tensor.live(), "tensors outlived their scope");
    assertEquals(bytes, Tensor.liveBytes(), "bytes outlived their scope");
    assertTrue(
        Pointer.totalCount() <= pointers,
        "native objects outlived their scope: %s before, %s after"
            .formatted(pointers, Pointer.totalCount()));
  }

  private static void assertLeaves(int expected, String what, Supplier<Tensor> call) {
    try (var _ = Scope.open()) {
      long before = Tensor.live();
      call.get().shape();
      assertEquals(
          expected,
          Tensor.live() - before,
          what + " left another number of tensors in the caller's scope");
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void accumulateGivesTheGradientsOfBack(Case c) {
    try (var _ = Scope.open()) {
      var t = new Trial(c, DType.FLOAT64);
      Tensor x = t.x();
      Traced first = t.layer.forward(x);
      Tensor dy = t.cotangent(first.value(), 1);
      first.back(dy);
      var expected = t.parameterGradients();
      t.layer.forward(x).accumulate(dy);
      assertClose("differs between back and accumulate", expected, t.parameterGradients(), 1e-12);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void gradientsAdd(Case c) {
    try (var _ = Scope.open()) {
      var t = new Trial(c, DType.FLOAT64);
      Tensor x = t.x();
      Traced first = t.layer.forward(x);
      Tensor dy = t.cotangent(first.value(), 1);
      first.back(dy);
      var once = t.parameterGradients();
      t.layer.forward(x).back(dy);
      t.layer.forward(x).back(dy);
      once.replaceAll((_, g) -> Arrays.stream(g).map(v -> 2 * v).toArray());
      assertClose("is not added to what was there", once, t.parameterGradients(), 1e-12);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void aBatchOfNoRowsWorks(Case c) {
    try (var _ = Scope.open()) {
      var t = new Trial(c, DType.FLOAT64);
      long[] rows = t.layer.predict(t.x()).shape().toArray();
      rows[0] = 0;
      long[] none = t.input.toArray();
      none[0] = 0;
      var before = t.state();
      for (boolean accumulate : new boolean[] {false, true}) {
        Tensor x = Tensor.zeros(DType.FLOAT64, none);
        Traced traced = t.layer.forward(x);
        assertEquals(Shape.of(rows), traced.value().shape(), "the value of no rows");
        assertEquals(Shape.of(rows), t.layer.predict(x).shape(), "the prediction of no rows");
        Tensor dy = traced.value().zerosLike();
        if (accumulate) {
          traced.accumulate(dy);
        } else {
          assertEquals(Shape.of(none), traced.back(dy).shape(), "dE/dx of no rows");
        }
        t.parameterGradients()
            .forEach((path, g) ->
                assertArrayEquals(new double[g.length], g, "no rows give no gradient of " + path));
        assertSameState("no rows changed", before, t.state(), true);
      }
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void theLayoutInMemoryDoesNotMatter(Case c) {
    try (var _ = Scope.open()) {
      var t = new Trial(c, DType.FLOAT64);
      Tensor x = t.x().contiguous();
      Traced traced = t.layer.forward(x);
      Tensor dy = t.cotangent(traced.value(), 1).contiguous();
      double[] y = traced.value().toDoubles();
      var gradients = t.gradients(traced.back(dy));
      double[] predicted = oneStepOn(t, x);
      for (Tensor otherX : List.of(x.channelsLast(), gapped(x))) {
        for (Tensor otherDy : List.of(dy, dy.channelsLast(), gapped(dy))) {
          Traced other = t.layer.forward(otherX);
          assertClose("the layout changes the value", y, other.value().toDoubles(), 1e-12);
          assertClose(
              "changes with the layout", gradients, t.gradients(other.back(otherDy)), 1e-12);
        }
        assertClose("the layout changes the prediction", predicted, oneStepOn(t, otherX), 1e-12);
      }
    }
  }

  /// The prediction with running statistics as they would be at the start.
  private static double[] oneStepOn(Trial t, Tensor x) {
    t.layer.state().values().stream()
        .filter(param -> !param.trained())
        .forEach(param -> param.value().zero_());
    return t.layer.predict(x).toDoubles();
  }

  /// The same elements with gaps between the rows of the innermost dimension.
  private static Tensor gapped(Tensor t) {
    long[] wider = t.shape().toArray();
    int last = wider.length - 1;
    wider[last] += 2;
    return Tensor.zeros(t.type(), wider).narrow(last, 1, wider[last] - 1).copy_(t);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void float32IsNearFloat64(Case c) {
    try (var _ = Scope.open()) {
      var exact = new Trial(c, DType.FLOAT64);
      var rounded = new Trial(c, DType.FLOAT32);
      Traced expected = exact.layer.forward(exact.x());
      Traced actual = rounded.layer.forward(rounded.x());
      assertEquals(DType.FLOAT32, actual.value().type(), "the type of the value");
      assertClose("float32 differs from float64", expected.value(), actual.value(), 1e-5);
      Tensor dx = actual.back(rounded.cotangent(actual.value(), 1));
      assertEquals(DType.FLOAT32, dx.type(), "the type of dE/dx");
      assertClose(
          "in float32 differs from float64",
          exact.gradients(expected.back(exact.cotangent(expected.value(), 1))),
          rounded.gradients(dx),
          3e-4);
      assertClose(
          "the prediction in float32 differs from float64",
          exact.layer.predict(exact.x()),
          rounded.layer.predict(rounded.x()),
          1e-5);
    }
  }

  /// Every layer rounds what it gives to 8 bits, which moves it by at most 2^-8 of itself, and
  /// nothing else but a convolution's weight. Parameters are float32. The gradients are compared of
  /// one layer at a time: through several, what is rounded turns some rectifiers, and there is no
  /// such bound; for those there is [#roundingDoesNotTurnTheGradientOfANet].
  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void bfloat16IsNearFloat64(Case c) {
    try (var _ = Scope.open()) {
      var exact = new Trial(c, DType.FLOAT64);
      var rounded = new Trial(c, DType.BFLOAT16);
      Tensor x = rounded.x();
      Tensor exactX = x.to(DType.FLOAT64);
      if (refusesBFloat16(rounded.layer)) {
        for (Runnable way :
            List.<Runnable>of(() -> rounded.layer.forward(x), () -> rounded.layer.predict(x))) {
          var e = assertThrows(IllegalArgumentException.class, way::run);
          assertTrue(e.getMessage().contains("BFLOAT16"), e.getMessage());
        }
        return;
      }
      int layers = leaves(rounded.layer);
      Traced expected = exact.layer.forward(exactX);
      Traced actual = rounded.layer.forward(x);
      assertRounded("the value", layers, expected.value().toDoubles(), actual.value().toDoubles());
      assertRounded(
          "the prediction",
          layers,
          exact.layer.predict(exactX).toDoubles(),
          rounded.layer.predict(x).toDoubles());
      Tensor dy = rounded.cotangent(actual.value(), 1);
      Tensor dx = actual.back(dy);
      assertEquals(DType.BFLOAT16, dx.type(), "the type of dE/dx");
      var gradients = rounded.gradients(dx);
      if (layers == 1) {
        exact
            .gradients(expected.back(dy.to(DType.FLOAT64)))
            .forEach(
                (path, g) -> assertRounded("the gradient of " + path, 1, g, gradients.get(path)));
      }
    }
  }

  /// Where libtorch's own weight gradient is not right: it must not be used.
  @ParameterizedTest
  @CsvSource({"3, 2, 1, 1", "3, 2, 4, 1", "3, 2, 1, 4", "5, 3, 4, 2", "7, 2, 5, 1", "1, 2, 1, 1"})
  void imagesLessWideThanTheStrideHaveAGradient(int kernel, int stride, int height, int width) {
    try (var _ = Scope.open()) {
      var row = plain("", i -> Conv2d.of(i, "", 16, 20, kernel, stride), 20, 16, height, width);
      var exact = new Trial(row, DType.FLOAT64);
      var rounded = new Trial(row, DType.BFLOAT16);
      Tensor x = rounded.x();
      for (int i = 0; i < 10; i++) {
        Tensor.normal(DRAW.at(i), DType.FLOAT32, 5000).times(1e6); // what may be read by mistake
        Traced actual = rounded.layer.forward(x);
        Tensor dy = rounded.cotangent(actual.value(), 1);
        var expected = exact.back(exact.layer, x.to(DType.FLOAT64), dy.to(DType.FLOAT64));
        var gradients = rounded.gradients(actual.back(dy));
        expected.forEach((path, g) -> assertRounded(path, 1, g, gradients.get(path)));
      }
    }
  }

  private static boolean refusesBFloat16(Layer layer) {
    return layer instanceof SelfAttention
        || layer instanceof LastState
        || layer.toString().equals("Autograd")
        || layer.children().stream().anyMatch(child -> refusesBFloat16(child.layer()));
  }

  private static int leaves(Layer layer) {
    return layer.children().isEmpty()
        ? 1
        : layer.children().stream().mapToInt(child -> leaves(child.layer())).sum();
  }

  /// By their lengths: one element may be small beside what it is a sum of.
  private static void assertRounded(String what, int layers, double[] expected, double[] actual) {
    double far = length(expected, actual);
    double size = Math.max(length(expected, new double[expected.length]), 0.01);
    assertTrue(
        far <= layers * 0x1p-8 * size,
        "%s is %s away from float64's, whose length is %s, after %s layers"
            .formatted(what, far, size, layers));
  }

  private static double length(double[] from, double[] to) {
    double squares = 0;
    for (int i = 0; i < from.length; i++) {
      squares += (from[i] - to[i]) * (from[i] - to[i]);
    }
    return Math.sqrt(squares);
  }

  /// Every layer rounds twice, in the forward and in the backward pass, and in a net that is no
  /// miniature the few rectifiers that turn weigh no more than that.
  @Test
  void roundingDoesNotTurnTheGradientOfANet() {
    try (var _ = Scope.open()) {
      var net = new CifarNet(20, Shortcut.A, Norm.BATCH, 8, new ImageShape(3, 16, 16), 10);
      var row = plain("", i -> Fused.of(net.build(i)), 16, 3, 16, 16);
      var exact = new Trial(row, DType.FLOAT64);
      var rounded = new Trial(row, DType.BFLOAT16);
      Tensor x = rounded.x();
      Traced expected = exact.layer.forward(x.to(DType.FLOAT64));
      Traced actual = rounded.layer.forward(x);
      Tensor dy = rounded.cotangent(actual.value(), 1);
      assertRounded(
          "the gradient",
          2 * leaves(rounded.layer),
          joined(exact.gradients(expected.back(dy.to(DType.FLOAT64)))),
          joined(rounded.gradients(actual.back(dy))));
    }
  }

  private static double[] joined(Map<String, double[]> gradients) {
    return gradients.values().stream().flatMapToDouble(Arrays::stream).toArray();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void aTreeThatIsMappedToItselfIsTheSame(Case c) {
    try (var _ = Scope.open()) {
      var t = new Trial(c, DType.FLOAT64);
      var paths = new HashSet<String>();
      Layer rebuilt =
          Layer.map(
              t.layer,
              (path, layer) -> {
                paths.add(path);
                return layer;
              });
      assertEquals(t.layer.state(), rebuilt.state(), "other parameters or paths");
      assertTrue(paths.contains(""), "the root has the empty path");
      Tensor x = t.x();
      assertArrayEquals(
          t.layer.forward(x).value().toDoubles(),
          rebuilt.forward(x).value().toDoubles(),
          "the value of the rebuilt tree differs");
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void everyParameterIsListedOnce(Case c) {
    try (var _ = Scope.open()) {
      Layer layer = new Trial(c, DType.FLOAT64).layer;
      var distinct = Collections.newSetFromMap(new IdentityHashMap<Param, Boolean>());
      distinct.addAll(layer.state().values());
      assertEquals(layer.state().size(), distinct.size(), "a parameter has two paths");
      assertEquals(
          distinct.stream().filter(Param::trained).count(),
          layer.params().size(),
          "params() are the trained ones of state(), each once");
    }
  }

  /// What a layer cannot take it refuses itself, and leaves no native error to its caller.
  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void aWrongArgumentIsRefusedWithItsShape(Case c) {
    try (var _ = Scope.open()) {
      var t = new Trial(c, DType.FLOAT64);
      for (Tensor x : oddArguments(t.input)) {
        for (var way :
            List.<Function<Tensor, Tensor>>of(a -> t.layer.forward(a).value(), t.layer::predict)) {
          try {
            way.apply(x).toDoubles();
          } catch (IllegalArgumentException e) {
            assertTrue(
                e.getMessage().contains(x.shape().toString())
                    || e.getMessage().contains(x.type().toString()),
                "the message says neither shape nor type of %s: %s".formatted(x, e.getMessage()));
          } catch (RuntimeException e) {
            throw new AssertionError("%s should be refused, but: %s".formatted(x, e), e);
          }
        }
      }
    }
  }

  private static List<Tensor> oddArguments(Shape input) {
    var odd = new ArrayList<Tensor>();
    odd.add(Tensor.zeros(DType.FLOAT64));
    odd.add(Tensor.zeros(DType.FLOAT64, 3));
    odd.add(Tensor.zeros(DType.FLOAT64, 2, 3, 4));
    odd.add(Tensor.zeros(DType.FLOAT64, 2, 3));
    odd.add(Tensor.zeros(DType.FLOAT64, 2, 3, 4, 5));
    odd.add(Tensor.zeros(DType.FLOAT64, 2, 3, 4, 5, 6));
    odd.add(Tensor.zeros(DType.FLOAT32, input.toArray()));
    odd.add(Tensor.zeros(DType.INT64, input.toArray()));
    long[] more = input.toArray();
    more[1]++;
    odd.add(Tensor.zeros(DType.FLOAT64, more));
    more[1] = 0;
    odd.add(Tensor.zeros(DType.FLOAT64, more));
    if (input.rank() == 4) {
      odd.add(Tensor.zeros(DType.FLOAT64, 2, input.size(1), 1, 1));
      odd.add(Tensor.zeros(DType.FLOAT64, 2, input.size(1), 0, 3));
    }
    return odd;
  }

  // ---- What is not a law of every layer

  @Test
  void aConvolutionIsTheSumOfItsDefinition() {
    try (var _ = Scope.open()) {
      for (int kernel : new int[] {1, 2, 3, 5}) {
        for (int stride : new int[] {1, 2, 3}) {
          Conv2d layer = Conv2d.of(Init.he(1), "", 2, 3, kernel, stride);
          layer.weight().convert(DType.FLOAT64);
          Tensor x = Tensor.normal(DRAW, DType.FLOAT64, 2, 2, 6, 7);
          Tensor y = layer.forward(x).value();
          int p = kernel / 2;
          assertEquals(
              Shape.of(2, 3, (6 + 2 * p - kernel) / stride + 1, (7 + 2 * p - kernel) / stride + 1),
              y.shape());
          assertArrayEquals(
              convolution(x, layer.weight().value(), stride, p, y.shape()), y.toDoubles(), 1e-12);
        }
      }
    }
  }

  private static double[] convolution(Tensor x, Tensor w, int stride, int padding, Shape out) {
    double[] a = x.toDoubles();
    double[] k = w.toDoubles();
    int channels = (int) x.shape().size(1);
    int height = (int) x.shape().size(2);
    int width = (int) x.shape().size(3);
    int kernel = (int) w.shape().size(2);
    var y = new double[(int) out.elements()];
    int at = 0;
    for (int n = 0; n < out.size(0); n++) {
      for (int o = 0; o < out.size(1); o++) {
        for (int i = 0; i < out.size(2); i++) {
          for (int j = 0; j < out.size(3); j++, at++) {
            for (int c = 0; c < channels; c++) {
              for (int u = 0; u < kernel; u++) {
                for (int v = 0; v < kernel; v++) {
                  int row = i * stride + u - padding;
                  int column = j * stride + v - padding;
                  if (row >= 0 && row < height && column >= 0 && column < width) {
                    y[at] +=
                        k[((o * channels + c) * kernel + u) * kernel + v]
                            * a[((n * channels + c) * height + row) * width + column];
                  }
                }
              }
            }
          }
        }
      }
    }
    return y;
  }

  @Test
  void aPoolTakesTheLargestOfEachWindow() {
    try (var _ = Scope.open()) {
      Tensor x =
          Tensor.of(
              new double[] {
                -1, -2, -3,
                -4, -5, -6,
                -7, -8, -9
              },
              1,
              1,
              3,
              3);
      assertArrayEquals(
          new double[] {-1, -2, -4, -5}, new MaxPool2d(2, 1, 0).forward(x).value().toDoubles());
      assertArrayEquals( // the border is no zero
          new double[] {-1, -2, -4, -5}, new MaxPool2d(3, 2, 1).forward(x).value().toDoubles());
      Tensor dx =
          new MaxPool2d(3, 2, 1).forward(x).back(Tensor.of(new double[] {1, 2, 3, 4}, 1, 1, 2, 2));
      assertArrayEquals(new double[] {1, 2, 0, 3, 4, 0, 0, 0, 0}, dx.toDoubles());
    }
  }

  @Test
  void tenThousandLayersNeitherOverflowNorLeak() {
    long tensors = Tensor.live();
    long bytes = Tensor.liveBytes();
    var layers = new Layer[10_000];
    Arrays.setAll(layers, _ -> new Identity());
    Layer deep = Chain.of(layers);
    try (var _ = Scope.open()) {
      Tensor x = Tensor.of(new double[] {1, 2, 3}, 1, 3);
      Tensor dy = Tensor.of(new double[] {4, 5, 6}, 1, 3);
      assertLeaves(1, "predict", () -> deep.predict(x));
      Traced traced = deep.forward(x);
      assertArrayEquals(x.toDoubles(), traced.value().toDoubles());
      assertLeaves(1, "back", () -> traced.back(dy));
      assertArrayEquals(dy.toDoubles(), deep.forward(x).back(dy).toDoubles());
      assertArrayEquals(x.toDoubles(), deep.predict(x).toDoubles());
      assertEquals(0, deep.params().size());
      assertEquals(10_000, deep.children().size());
    }
    assertEquals(tensors, Tensor.live());
    assertEquals(bytes, Tensor.liveBytes());
  }

  /// Eight pairs of images: what is remembered between the ways does not grow with a layer's
  /// inside.
  @Test
  void recomputeRemembersOnlyItsArgument() {
    try (var _ = Scope.open()) {
      var plain = net(Shortcut.A, Norm.BATCH).build(Init.he(1));
      var again = new Recompute(plain);
      Tensor x = Tensor.normal(DRAW, DType.FLOAT32, 4, 2, 5, 6);
      long before = Tensor.liveBytes();
      again.forward(x);
      long recomputed = Tensor.liveBytes() - before;
      assertEquals(4 * 4 * 3, recomputed, "only the 4×3 logits stay");
      plain.forward(x);
      assertTrue(Tensor.liveBytes() - before - recomputed > 20 * recomputed);
    }
  }

  @Test
  void aShortcutOfAnotherShapeIsRefused() {
    try (var _ = Scope.open()) {
      Layer smaller = Chain.of(Conv2d.of(Init.he(1), "0", 2, 2, 1, 3), BatchNorm.of(2));
      Layer plain = Chain.of(new Residual(smaller), new Relu());
      Tensor x = Tensor.zeros(DType.FLOAT32, 1, 2, 3, 3);
      for (Layer net : List.of(plain, Fused.of(plain))) {
        for (Runnable way : List.<Runnable>of(() -> net.forward(x), () -> net.predict(x))) {
          var e = assertThrows(IllegalArgumentException.class, way::run);
          assertTrue(e.getMessage().contains("1×2×1×1"), e.getMessage());
          assertTrue(e.getMessage().contains("1×2×3×3"), e.getMessage());
        }
      }
    }
  }

  @Test
  void twoParametersUnderOnePathAreRefused() {
    try (var _ = Scope.open()) {
      var init = Init.he(1);
      Layer net =
          new Chain(
              List.of(
                  new Layer.Child("a", dense(init, "a")), new Layer.Child("a", dense(init, "a"))));
      var e = assertThrows(IllegalStateException.class, net::state);
      assertTrue(e.getMessage().contains("\"a.weight\""), e.getMessage());
    }
  }

  @Test
  void aSharedLayerHasItsFirstPath() {
    try (var _ = Scope.open()) {
      Layer shared = dense(Init.he(1), "");
      Layer net = Chain.of(shared, new Tanh(), shared);
      assertEquals(List.of("0.weight", "0.bias"), List.copyOf(net.state().keySet()));
      assertSame(net.params().getFirst(), ((Dense) shared).weight());
    }
  }

  @Test
  void aWatchedNetShowsEveryValueAndEveryCotangent() {
    try (var _ = Scope.open()) {
      var seen = new ArrayList<String>();
      Layer net =
          Watched.leaves(
              Chain.of(dense(Init.he(1), "0"), new Residual(new Tanh())),
              new Watched.Observer() {
                @Override
                public void value(String path, Layer layer, Tensor y) {
                  seen.add("value " + path + " " + layer);
                }

                @Override
                public void cotangent(String path, Layer layer, Tensor dy) {
                  seen.add("cotangent " + path + " " + layer);
                }
              });
      Tensor x = Tensor.zeros(DType.FLOAT32, 2, 4);
      net.forward(x).back(x);
      assertEquals(
          List.of(
              "value 0 Dense 4→4",
              "value 1 Tanh",
              "value 1.shortcut Identity",
              "cotangent 1 Tanh",
              "cotangent 1.shortcut Identity",
              "cotangent 0 Dense 4→4"),
          seen);
    }
  }

  // ---- Comparing

  private static void assertClose(
      String message, Tensor expected, Tensor actual, double tolerance) {
    assertClose(message, expected.toDoubles(), actual.toDoubles(), tolerance);
  }

  private static void assertClose(
      String message,
      Map<String, double[]> expected,
      Map<String, double[]> actual,
      double tolerance) {
    assertEquals(expected.keySet(), actual.keySet());
    expected.forEach((what, values) ->
        assertClose(
            "the gradient of %s %s".formatted(what, message), values, actual.get(what), tolerance));
  }

  /// Differences are compared to the largest number, because sums lose what is small beside it.
  private static void assertClose(
      String message, double[] expected, double[] actual, double tolerance) {
    assertEquals(expected.length, actual.length, message);
    double largest = 0.01;
    for (double v : expected) {
      largest = Math.max(largest, Math.abs(v));
    }
    for (int i = 0; i < expected.length; i++) {
      if (!(Math.abs(expected[i] - actual[i]) <= tolerance * largest)) {
        throw new AssertionError(
            "%s: element %s is %s, but should be %s (largest %s, tolerance %s)"
                .formatted(message, i, actual[i], expected[i], largest, tolerance));
      }
    }
  }
}
