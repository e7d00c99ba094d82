package fathom.kernel;

import fathom.DType;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.TorchNorms;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// [RowNorm] as libtorch's operations, in float64 for every element type: in float32 libtorch's
/// layer norm computes x/σ − μ/σ, which loses what is small beside the mean.
public final class TorchRowNorm implements RowNorm {
  @Override
  public Normed forward(Form form, Tensor x, @Nullable Tensor addend) {
    RowNorm.count(form, x, addend);
    try (var scope = Scope.open()) {
      Tensor s = addend == null ? x : x.plus(addend);
      Matrix rows = Matrix.of(s, form.width());
      var normed = normed(form, rows);
      Tensor statistics = Tensor.concatenated(1, List.of(normed.mean(), normed.reciprocal()));
      return new Normed(
          scope.keep(rows.back(normed.value().to(x.type()))),
          scope.keep(s),
          scope.keep(statistics));
    }
  }

  @Override
  public Tensor predict(Form form, Tensor x, @Nullable Tensor addend) {
    RowNorm.count(form, x, addend);
    try (var scope = Scope.open()) {
      Matrix rows = Matrix.of(addend == null ? x : x.plus(addend), form.width());
      return scope.keep(rows.back(normed(form, rows).value().to(x.type())));
    }
  }

  /// Libtorch's layer norm always subtracts the mean and cannot handle a row whose variance and ε
  /// are both zero.
  private static boolean isLayerNorm(Form form) {
    return form.centred() && form.epsilon() > 0;
  }

  private static TorchNorms.LayerNormed normed(Form form, Matrix rows) {
    Tensor s = rows.elements().to(DType.FLOAT64);
    if (isLayerNorm(form)) {
      return TorchNorms.layerNorm(
          s, Shape.of(form.width()), row(form.gain()), row(form.bias()), form.epsilon());
    }
    Tensor mean = form.centred() ? s.mean(1) : s.zerosOf(s.shape().size(0), 1);
    Tensor difference = form.centred() ? s.minus(mean) : s;
    Tensor variance = difference.square().mean(1).plus(form.epsilon());
    Tensor reciprocal = TorchNorms.reciprocalRoot(variance);
    Tensor y = difference.times(reciprocal);
    Tensor gain = row(form.gain());
    Tensor bias = row(form.bias());
    y = gain == null ? y : y.times(gain);
    y = bias == null ? y : y.plus(bias);
    return new TorchNorms.LayerNormed(y, mean, reciprocal);
  }

  private static @Nullable Tensor row(@Nullable Tensor perElement) {
    return perElement == null
        ? null
        : perElement.reshape(perElement.shape().elements()).to(DType.FLOAT64);
  }

  @Override
  public Cotangents backward(Form form, Tensor dy, Normed normed, @Nullable Tensor dsum) {
    RowNorm.count(form, normed.s(), dy, dsum);
    int n = form.width();
    try (var scope = Scope.open()) {
      Matrix rows = Matrix.of(normed.s(), n);
      Tensor g = Matrix.of(dy, n).elements().to(DType.FLOAT64);
      Tensor mean = normed.statistics().narrow(1, 0, 1).contiguous();
      Tensor reciprocal = normed.statistics().narrow(1, 1, 2).contiguous();
      Cotangents d = back(form, g, rows.elements().to(DType.FLOAT64), mean, reciprocal);
      Tensor ds = d.dx().to(dy.type());
      Tensor dx = dsum == null ? ds : ds.plus(Matrix.of(dsum, n).elements());
      return new Cotangents(
          scope.keep(rows.back(dx)), kept(scope, d.dgain()), kept(scope, d.dbias()));
    }
  }

  private static @Nullable Tensor kept(Scope scope, @Nullable Tensor t) {
    return t == null ? null : scope.keep(t);
  }

  /// The backward pass of operands that are matrices of rows.
  private static Cotangents back(Form form, Tensor dy, Tensor s, Tensor mean, Tensor reciprocal) {
    int n = form.width();
    if (isLayerNorm(form)) {
      var d =
          TorchNorms.layerNormBackward(
              dy,
              s,
              Shape.of(n),
              new TorchNorms.LayerNormed(s, mean, reciprocal),
              row(form.gain()),
              row(form.bias()));
      return new Cotangents(d.dx(), d.dgain(), d.dbias());
    }
    Tensor normal = (form.centred() ? s.minus(mean) : s).times(reciprocal);
    Tensor gain = row(form.gain());
    Tensor w = gain == null ? dy : dy.times(gain);
    Tensor rest = w.minus(normal.times(w.times(normal).mean(1)));
    Tensor ds = (form.centred() ? rest.minus(w.mean(1)) : rest).times(reciprocal);
    return new Cotangents(
        ds,
        gain == null ? null : dy.times(normal).sum(0).reshape(n),
        form.bias() == null ? null : dy.sum(0).reshape(n));
  }

  /// The rows of a tensor in the order of memory, together with the tensor itself.
  private record Matrix(Tensor elements, Tensor of) {
    static Matrix of(Tensor t, int width) {
      return new Matrix(inMemory(t).reshape(t.shape().elements() / width, width), t);
    }

    private static Tensor inMemory(Tensor t) {
      return t.isChannelsLast() ? t.permute(0, 2, 3, 1) : t;
    }

    /// Returns another matrix of this shape in the shape and layout of this one's tensor.
    Tensor back(Tensor matrix) {
      Shape s = of.shape();
      if (s.equals(matrix.shape())) {
        return matrix;
      }
      return of.isChannelsLast()
          ? matrix.reshape(s.size(0), s.size(2), s.size(3), s.size(1)).permute(0, 3, 1, 2)
          : matrix.reshape(s.toArray());
    }
  }
}
