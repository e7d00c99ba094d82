package fathom.kernel;

import fathom.DType;
import fathom.Tensor;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The equations of [RowNorm], number by number in double precision for every element type. It is
/// the specification of [VectorRowNorm] and the form that computes float64 tensors. The
/// specification of the recurrent cells calls it for each group of gates.
public final class ScalarRowNorm implements RowNorm {
  /// The statistics of a row: μ and 1/σ.
  public record Moments(double mean, double reciprocal) {
    /// The statistics of a row that is not normalized: x̂ is the row itself.
    public static final Moments NONE = new Moments(0, 1);

    /// Returns the statistics of the elements `from .. to-1`: μ = Σ s / n and σ² = Σ (s − μ)² / n +
    /// ε (Ba et al. 2016, eq. 3), or μ = 0 if not `centred` (Zhang and Sennrich 2019, eq. 4). The
    /// mean is summed as differences from the first element, so that the mean of equal elements is
    /// exactly their value.
    public static Moments of(double[] s, int from, int to, double epsilon, boolean centred) {
      double differences = 0;
      for (int i = from; i < to; i++) {
        differences += s[i] - s[from];
      }
      double mean = centred ? s[from] + differences / (to - from) : 0;
      double squares = 0;
      for (int i = from; i < to; i++) {
        squares += (s[i] - mean) * (s[i] - mean);
      }
      return new Moments(mean, RowNorm.reciprocal(squares / (to - from) + epsilon));
    }

    /// Returns x̂ = (s − μ)/σ.
    public double normal(double s) {
      return (s - mean) * reciprocal;
    }
  }

  /// Writes y = x̂·γ + β for the elements `from .. to-1`.
  public static void normalize(
      double[] s, int from, int to, Moments m, double[] gain, double[] bias, double[] y) {
    for (int i = from; i < to; i++) {
      y[i] = m.normal(s[i]) * gain[i] + bias[i];
    }
  }

  /// Writes ds = (w − mean(w) − x̂·mean(w·x̂))/σ with w = dy·γ, because dx̂ᵢ/dsⱼ = (δᵢⱼ − 1/n −
  /// x̂ᵢ·x̂ⱼ/n)/σ: shifting all elements by the same amount, or scaling them all, does not change
  /// x̂. Without centring the term mean(w) is missing. Adds dy·x̂ to dγ and dy to dβ.
  public static void normalizeBack(
      double[] dy,
      double[] s,
      int from,
      int to,
      Moments m,
      double[] gain,
      boolean centred,
      double[] ds,
      double[] dgain,
      double[] dbias) {
    double sum = 0;
    double along = 0;
    for (int i = from; i < to; i++) {
      double w = dy[i] * gain[i];
      sum += w;
      along += w * m.normal(s[i]);
      dgain[i] += dy[i] * m.normal(s[i]);
      dbias[i] += dy[i];
    }
    int n = to - from;
    double meanW = centred ? sum / n : 0;
    for (int i = from; i < to; i++) {
      ds[i] = m.reciprocal * (dy[i] * gain[i] - meanW - m.normal(s[i]) * (along / n));
    }
  }

  // ---- Row by row

  @Override
  public Normed forward(Form form, Tensor x, @Nullable Tensor addend) {
    long count = RowNorm.count(form, x, addend);
    Tensor s = addend == null ? x : x.emptyLike();
    var normed = new Normed(x.emptyLike(), s, Tensor.empty(DType.FLOAT64, count, 2));
    forward(form, x, addend, s, normed.value(), Rows.of(normed.statistics(), 2));
    return normed;
  }

  @Override
  public Tensor predict(Form form, Tensor x, @Nullable Tensor addend) {
    RowNorm.count(form, x, addend);
    Tensor y = x.emptyLike();
    forward(form, x, addend, addend == null ? x : y, y, null);
    return y;
  }

  private static void forward(
      Form form,
      Tensor x,
      @Nullable Tensor addend,
      Tensor sum,
      Tensor y,
      @Nullable Rows statistics) {
    Rows s = Rows.of(sum, form.width());
    if (addend != null) {
      Rows a = Rows.of(x, form.width());
      Rows b = Rows.of(addend, form.width());
      for (long i = 0; i < a.count() * form.width(); i++) {
        s.set(i, a.get(i) + b.get(i));
      }
    }
    double[] gain = perElement(form.gain(), form.width(), 1);
    double[] bias = perElement(form.bias(), form.width(), 0);
    Rows written = Rows.of(y, form.width());
    for (long row = 0; row < s.count(); row++) {
      normalize(form, gain, bias, s, written, statistics, row);
    }
  }

  /// Normalizes one row of `s` into `y`, which may be the same memory.
  static void normalize(
      Form form,
      double[] gain,
      double[] bias,
      Rows s,
      Rows y,
      @Nullable Rows statistics,
      long row) {
    int n = form.width();
    double[] elements = new double[n];
    s.read(row, elements);
    Moments m = Moments.of(elements, 0, n, form.epsilon(), form.centred());
    normalize(elements, 0, n, m, gain, bias, elements);
    y.write(row, elements);
    if (statistics != null) {
      statistics.write(row, m.mean, m.reciprocal);
    }
  }

  @Override
  public Cotangents backward(Form form, Tensor dy, Normed normed, @Nullable Tensor dsum) {
    RowNorm.count(form, normed.s(), dy, dsum);
    int n = form.width();
    Tensor dx = normed.s().emptyLike();
    double[] dgain = new double[n];
    double[] dbias = new double[n];
    double[] gain = perElement(form.gain(), n, 1);
    Rows g = Rows.of(dy, n);
    Rows s = Rows.of(normed.s(), n);
    Rows statistics = Rows.of(normed.statistics(), 2);
    Rows more = Rows.ofNullable(dsum, n);
    Rows ds = Rows.of(dx, n);
    for (long row = 0; row < s.count(); row++) {
      normalizeBack(form, gain, g, s, statistics, more, ds, dgain, dbias, row);
    }
    return new Cotangents(
        dx,
        form.gain() == null ? null : Tensor.of(dgain, n),
        form.bias() == null ? null : Tensor.of(dbias, n));
  }

  /// The backward pass of one row, which adds to the sums of dγ and dβ.
  static void normalizeBack(
      Form form,
      double[] gain,
      Rows dy,
      Rows s,
      Rows statistics,
      @Nullable Rows dsum,
      Rows dx,
      double[] dgain,
      double[] dbias,
      long row) {
    int n = form.width();
    double[] g = new double[n];
    double[] elements = new double[n];
    double[] ds = new double[n];
    dy.read(row, g);
    s.read(row, elements);
    var m = new Moments(statistics.get(2 * row), statistics.get(2 * row + 1));
    normalizeBack(g, elements, 0, n, m, gain, form.centred(), ds, dgain, dbias);
    for (int i = 0; i < n && dsum != null; i++) {
      ds[i] += dsum.get(row * n + i);
    }
    dx.write(row, ds);
  }

  /// A gain or bias as an array; a missing one becomes `otherwise`, the value that changes nothing.
  private static double[] perElement(@Nullable Tensor elements, int n, double otherwise) {
    if (elements != null) {
      return elements.toDoubles();
    }
    double[] same = new double[n];
    Arrays.fill(same, otherwise);
    return same;
  }
}
