package fathom.nn;

import fathom.DType;
import fathom.Param;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.kernel.Kernels;
import fathom.kernel.LayerNormKernel;
import fathom.kernel.Rows;
import fathom.nn.LayerNorm.Over;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What layer norm and RMS norm share: a tensor as rows, each of which is normalised for itself,
/// with gains and biases of the shape `features`, or without.
///
/// Pictures are taken as they lie in memory behind a convolution, with the channels innermost, and
/// the gains of C×H×W features are brought into that order instead.
record RowNorm(
    String name,
    @Nullable Param gain,
    @Nullable Param bias,
    double epsilon,
    boolean centred,
    Over over,
    Shape features) {

  RowNorm {
    if (features.elements() == 0 || features.rank() == 0) {
      throw new IllegalArgumentException(
          "%s is over at least one element, but its features are %s".formatted(name, features));
    }
    if (over != Over.FEATURES && features.rank() != 1) {
      throw new IllegalArgumentException(
          "%s over %s has features of one dimension, but they are %s"
              .formatted(name, over == Over.LAST ? "the last dimension" : "channels", features));
    }
    if (!(epsilon >= 0)) {
      throw new IllegalArgumentException(
          "the epsilon of %s is at least 0, but is %s".formatted(name, epsilon));
    }
    for (Param param : new @Nullable Param[] {gain, bias}) {
      if (param != null && !param.value().shape().equals(features)) {
        throw new IllegalArgumentException(
            "the gains and biases of %s have the shape of its features, %s, but one has %s"
                .formatted(name, features, param.value().shape()));
      }
    }
  }

  /// A value, the mean and the reciprocal deviation of each row (count×2, float64), and the way
  /// back.
  record Normed(Tensor value, Tensor s, Tensor statistics, Back back) {}

  /// From the cotangent of the value, and that of what was normalised if it is used elsewhere, to
  /// that of the argument and of the addend alike.
  interface Back {
    Tensor apply(Tensor dy, @Nullable Tensor dsum);
  }

  Map<String, Param> own() {
    var byName = new LinkedHashMap<String, Param>();
    if (gain != null) {
      byName.put("weight", gain);
    }
    if (bias != null) {
      byName.put("bias", bias);
    }
    return byName;
  }

  Normed forward(Tensor x, @Nullable Tensor addend) {
    Tensor input = rows(x);
    Tensor s = addend == null ? input : input.emptyLike();
    Tensor y = input.emptyLike();
    Tensor statistics = Tensor.empty(DType.FLOAT64, count(input), 2);
    try (var _ = Scope.open()) {
      Kernels.layerNorm(input.type())
          .forward(
              form(),
              matrix(input),
              addend == null ? null : matrix(rows(addend)),
              addend == null ? null : matrix(s),
              matrix(y),
              statistics.segment());
    }
    return new Normed(
        like(x, y), s, statistics, (dy, dsum) -> back(dy, dsum, s, statistics, x.type()));
  }

  Tensor predict(Tensor x, @Nullable Tensor addend) {
    try (var scope = Scope.open()) {
      Tensor input = rows(x);
      Tensor y = input.emptyLike();
      Kernels.layerNorm(input.type())
          .forward(
              form(),
              matrix(input),
              addend == null ? null : matrix(rows(addend)),
              null,
              matrix(y),
              null);
      return scope.keep(like(x, y));
    }
  }

  private Tensor back(Tensor dy, @Nullable Tensor dsum, Tensor s, Tensor statistics, DType type) {
    try (var scope = Scope.open()) {
      Tensor dx = s.emptyLike();
      double[] dgain = gain == null ? null : new double[width()];
      double[] dbias = bias == null ? null : new double[width()];
      Kernels.layerNorm(s.type())
          .backward(
              form(),
              matrix(rows(dy)),
              matrix(s),
              statistics.segment(),
              dsum == null ? null : matrix(rows(dsum)),
              matrix(dx),
              dgain,
              dbias);
      accumulate(gain, dgain);
      accumulate(bias, dbias);
      return scope.keep(type == DType.BFLOAT16 ? dx.to(type) : dx);
    }
  }

  private static Tensor like(Tensor x, Tensor y) {
    return x.type() == DType.BFLOAT16 ? y.to(DType.BFLOAT16) : y;
  }

  private LayerNormKernel.Form form() {
    return new LayerNormKernel.Form(
        gain == null ? null : inOrder(gain.value()).segment(),
        bias == null ? null : inOrder(bias.value()).segment(),
        epsilon,
        centred);
  }

  private boolean ofPictures() {
    return over == Over.FEATURES && features.rank() == 3;
  }

  /// C×H×W as it lies in a row.
  private Tensor inOrder(Tensor perFeature) {
    return ofPictures() ? perFeature.permute(1, 2, 0).contiguous() : perFeature.contiguous();
  }

  private void accumulate(@Nullable Param param, double @Nullable [] gradient) {
    if (param == null || gradient == null) {
      return;
    }
    Tensor grad = param.grad();
    if (!ofPictures()) {
      grad.add_(gradient);
      return;
    }
    Tensor inOrder = Tensor.of(gradient, features.size(1), features.size(2), features.size(0));
    grad.add_(inOrder.to(grad.type()).permute(2, 0, 1));
  }

  private int width() {
    return Math.toIntExact(features.elements());
  }

  private long count(Tensor dense) {
    return dense.shape().elements() / width();
  }

  private Rows matrix(Tensor dense) {
    return new Rows(dense.segment(), dense.type(), count(dense), width());
  }

  /// The elements row by row, in the type of the computation.
  private Tensor rows(Tensor x) {
    checkShape(x.shape());
    DType type = x.type() == DType.BFLOAT16 ? DType.FLOAT32 : x.type();
    if (type == DType.INT64) {
      throw new IllegalArgumentException(
          "%s needs fractions, but was given %s; convert it with to()".formatted(name, x));
    }
    for (Param param : new @Nullable Param[] {gain, bias}) {
      if (param != null && param.value().type() != type) {
        throw new IllegalArgumentException(
            "%s has %s parameters and needs an argument of that type, but was given %s; convert one of them"
                .formatted(name, param.value().type(), x));
      }
    }
    Tensor typed = x.to(type);
    return over == Over.LAST ? typed.contiguous() : typed.channelsLast();
  }

  private void checkShape(Shape x) {
    int rank = features.rank();
    boolean fits =
        switch (over) {
          case FEATURES -> x.rank() == rank + 1;
          case POSITION -> x.rank() == 2 || x.rank() == 4;
          case LAST -> x.rank() >= 2;
        };
    for (int i = 0; fits && i < rank; i++) {
      fits = x.size(over == Over.LAST ? -1 : i + 1) == features.size(i);
    }
    if (!fits) {
      String needed =
          switch (over) {
            case FEATURES -> "N×" + features;
            case POSITION -> "N×%s or N×%s×H×W".formatted(features, features);
            case LAST -> "N×...×" + features;
          };
      throw new IllegalArgumentException(
          "%s needs %s, but was given %s".formatted(name, needed, x));
    }
  }
}
