package fathom.kernel;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// The text-book loops, in double precision whatever the type of the elements: the specification of
/// [VectorLayerNorm], and what float64 runs on.
final class ScalarLayerNorm implements LayerNormKernel {
  @Override
  public void forward(
      Form form,
      Rows x,
      @Nullable Rows addend,
      @Nullable Rows sum,
      Rows y,
      @Nullable MemorySegment statistics) {
    LayerNormKernel.check(form, x, new @Nullable Rows[] {addend, sum, y}, statistics, null, null);
    Rows s = x;
    if (addend != null) {
      s = sum == null ? y : sum;
      for (long i = 0; i < x.count() * x.channels(); i++) {
        set(s, i, get(x, i) + get(addend, i));
      }
    }
    for (long row = 0; row < x.count(); row++) {
      forward(form, s, y, statistics, row);
    }
  }

  /// Normalises one row of `s`, which may be `y` itself.
  static void forward(Form form, Rows s, Rows y, @Nullable MemorySegment statistics, long row) {
    int n = s.channels();
    long from = row * n;
    double mean = form.centred() ? mean(s, from, n) : 0;
    double squares = 0;
    for (int i = 0; i < n; i++) {
      double d = get(s, from + i) - mean;
      squares += d * d;
    }
    double r = LayerNormKernel.reciprocal(squares / n + form.epsilon());
    for (int i = 0; i < n; i++) {
      double normal = (get(s, from + i) - mean) * r;
      set(y, from + i, normal * get(form.gain(), s, i, 1) + get(form.bias(), s, i, 0));
    }
    if (statistics != null) {
      statistics.setAtIndex(JAVA_DOUBLE, 2 * row, mean);
      statistics.setAtIndex(JAVA_DOUBLE, 2 * row + 1, r);
    }
  }

  /// From the first element on, so that the mean of equal elements is exactly theirs.
  private static double mean(Rows s, long from, int n) {
    double first = get(s, from);
    double differences = 0;
    for (int i = 1; i < n; i++) {
      differences += get(s, from + i) - first;
    }
    return first + differences / n;
  }

  @Override
  public void backward(
      Form form,
      Rows dy,
      Rows s,
      MemorySegment statistics,
      @Nullable Rows dsum,
      Rows dx,
      double @Nullable [] dgain,
      double @Nullable [] dbias) {
    LayerNormKernel.check(form, s, new @Nullable Rows[] {dy, dsum, dx}, statistics, dgain, dbias);
    for (long row = 0; row < s.count(); row++) {
      backward(form, dy, s, statistics, dsum, dx, dgain, dbias, row);
    }
  }

  static void backward(
      Form form,
      Rows dy,
      Rows s,
      MemorySegment statistics,
      @Nullable Rows dsum,
      Rows dx,
      double @Nullable [] dgain,
      double @Nullable [] dbias,
      long row) {
    int n = s.channels();
    long from = row * n;
    double mean = statistics.getAtIndex(JAVA_DOUBLE, 2 * row);
    double r = statistics.getAtIndex(JAVA_DOUBLE, 2 * row + 1);
    double meanW = 0;
    double meanWNormal = 0;
    for (int i = 0; i < n; i++) {
      double g = get(dy, from + i);
      double w = g * get(form.gain(), s, i, 1);
      double normal = (get(s, from + i) - mean) * r;
      meanW += w / n;
      meanWNormal += w * normal / n;
      if (dgain != null) {
        dgain[i] += g * normal;
      }
      if (dbias != null) {
        dbias[i] += g;
      }
    }
    for (int i = 0; i < n; i++) {
      double w = get(dy, from + i) * get(form.gain(), s, i, 1);
      double normal = (get(s, from + i) - mean) * r;
      double ds = r * (w - (form.centred() ? meanW : 0) - normal * meanWNormal);
      set(dx, from + i, dsum == null ? ds : ds + get(dsum, from + i));
    }
  }

  private static double get(
      @Nullable MemorySegment perElement, Rows rows, int i, double otherwise) {
    return perElement == null
        ? otherwise
        : switch (rows.type()) {
          case FLOAT32 -> perElement.getAtIndex(JAVA_FLOAT, i);
          case FLOAT64 -> perElement.getAtIndex(JAVA_DOUBLE, i);
          case BFLOAT16, INT64 -> throw wrongType(rows);
        };
  }

  private static double get(Rows rows, long i) {
    return switch (rows.type()) {
      case FLOAT32 -> rows.memory().getAtIndex(JAVA_FLOAT, i);
      case FLOAT64 -> rows.memory().getAtIndex(JAVA_DOUBLE, i);
      case BFLOAT16, INT64 -> throw wrongType(rows);
    };
  }

  private static void set(Rows rows, long i, double v) {
    switch (rows.type()) {
      case FLOAT32 -> rows.memory().setAtIndex(JAVA_FLOAT, i, (float) v);
      case FLOAT64 -> rows.memory().setAtIndex(JAVA_DOUBLE, i, v);
      case BFLOAT16, INT64 -> throw wrongType(rows);
    }
  }

  private static IllegalArgumentException wrongType(Rows rows) {
    return new IllegalArgumentException(
        "layer norm runs in FLOAT32 or FLOAT64, but was given " + rows.type());
  }
}
