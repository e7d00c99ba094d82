package fathom.nn;

import fathom.DType;
import fathom.Param;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.kernel.Kernels;
import fathom.kernel.RowNorm;
import fathom.nn.LayerNorm.Over;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The common part of layer norm and RMS norm. It treats a tensor as cases, and [RowNorm]
/// normalises each case by itself, with or without gains and biases of the shape `features`.
///
/// Images stay in the channels-last memory that convolutions leave them in; instead, the gains of
/// C×H×W features are brought into that order.
record CaseNorm(
    String name,
    @Nullable Param gain,
    @Nullable Param bias,
    double epsilon,
    boolean centred,
    Over over,
    Shape features) {

  CaseNorm {
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

  /// The output, the tensor s that was normalised (the input, or its sum with the addend), the mean
  /// and the reciprocal standard deviation of each case (count×2, float64), and the backward pass.
  record Normed(Tensor value, Tensor s, Tensor statistics, Back back) {}

  /// Maps the cotangent of the output, and the cotangent that reaches s from other uses (null if
  /// there are none), to the cotangent of s, which is that of the input and of the addend alike.
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
    Tensor rows = rows(x);
    RowNorm kernel = Kernels.rowNorm(rows);
    RowNorm.Normed normed;
    try (var scope = Scope.open()) {
      normed = kernel.forward(form(), rows, addend == null ? null : rows(addend));
      scope.keep(normed.value());
      scope.keep(normed.s());
      scope.keep(normed.statistics());
    }
    return new Normed(
        like(x, normed.value()),
        normed.s(),
        normed.statistics(),
        (dy, dsum) -> back(kernel, normed, dy, dsum, x.type()));
  }

  Tensor predict(Tensor x, @Nullable Tensor addend) {
    try (var scope = Scope.open()) {
      Tensor rows = rows(x);
      Tensor y = Kernels.rowNorm(rows).predict(form(), rows, addend == null ? null : rows(addend));
      return scope.keep(like(x, y));
    }
  }

  private Tensor back(
      RowNorm kernel, RowNorm.Normed normed, Tensor dy, @Nullable Tensor dsum, DType type) {
    try (var scope = Scope.open()) {
      var cotangents = kernel.backward(form(), rows(dy), normed, dsum == null ? null : rows(dsum));
      accumulate(gain, cotangents.dgain());
      accumulate(bias, cotangents.dbias());
      Tensor dx = cotangents.dx();
      return scope.keep(type == DType.BFLOAT16 ? dx.to(type) : dx);
    }
  }

  private static Tensor like(Tensor x, Tensor y) {
    return x.type() == DType.BFLOAT16 ? y.to(DType.BFLOAT16) : y;
  }

  private RowNorm.Form form() {
    return new RowNorm.Form(
        width(),
        gain == null ? null : inOrder(gain.value()),
        bias == null ? null : inOrder(bias.value()),
        epsilon,
        centred);
  }

  private boolean ofImages() {
    return over == Over.FEATURES && features.rank() == 3;
  }

  /// Returns features of C×H×W in the order in which a row holds them.
  private Tensor inOrder(Tensor perFeature) {
    return ofImages() ? perFeature.permute(1, 2, 0).contiguous() : perFeature.contiguous();
  }

  /// Adds a gradient to that of the parameter. The gradient is in the order of a row, and in the
  /// parameter's type or in float64.
  private void accumulate(@Nullable Param param, @Nullable Tensor gradient) {
    if (param == null || gradient == null) {
      return;
    }
    Tensor grad = param.grad();
    if (ofImages()) {
      Tensor inOrder = gradient.reshape(features.size(1), features.size(2), features.size(0));
      grad.add_(inOrder.to(grad.type()).permute(2, 0, 1));
    } else if (gradient.type() == grad.type()) {
      grad.add_(gradient);
    } else if (grad.isOnProcessor()) {
      grad.add_(gradient.toDoubles());
    } else {
      grad.add_(gradient.to(grad.type()));
    }
  }

  private int width() {
    return Math.toIntExact(features.elements());
  }

  /// Returns the elements row by row, in the type of the computation.
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
