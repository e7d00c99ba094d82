package fathom.kernel;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import org.jspecify.annotations.Nullable;

/// The text-book loops, in double precision whatever the type of the elements: the specification of
/// [VectorBatchNorm], and what float64 runs on.
final class ScalarBatchNorm implements BatchNormKernel {
  @Override
  public void moments(Rows x, double[] sums) {
    int channels = x.channels();
    for (long i = 0; i < x.count() * channels; i++) {
      int c = (int) (i % channels);
      double v = get(x, i);
      sums[c] += v;
      sums[channels + c] += v * v;
    }
  }

  @Override
  public void normalize(
      Rows x,
      double[] mean,
      double[] scale,
      double[] shift,
      @Nullable Rows addend,
      boolean rectify,
      Rows y) {
    x.checkLike(addend);
    x.checkLike(y);
    int channels = x.channels();
    for (long i = 0; i < x.count() * channels; i++) {
      int c = (int) (i % channels);
      double v = (get(x, i) - mean[c]) * scale[c] + shift[c];
      if (addend != null) {
        v += get(addend, i);
      }
      set(y, i, rectify ? Math.max(v, 0) : v);
    }
  }

  @Override
  public void momentsBack(
      Rows dy, Rows x, double[] mean, @Nullable Rectified rectified, double[] sums) {
    x.checkLike(dy);
    int channels = x.channels();
    for (long i = 0; i < x.count() * channels; i++) {
      int c = (int) (i % channels);
      double centred = get(x, i) - mean[c];
      double g = passed(rectified, c, centred) ? get(dy, i) : 0;
      sums[c] += g;
      sums[channels + c] += g * centred;
    }
  }

  @Override
  public void momentsBack(Rows dy, Rows y, Rows x, double[] mean, Rows g, double[] sums) {
    x.checkLike(dy);
    x.checkLike(y);
    x.checkLike(g);
    for (long i = 0; i < x.count() * x.channels(); i++) {
      set(g, i, get(y, i) > 0 ? get(dy, i) : 0);
    }
    momentsBack(g, x, mean, null, sums);
  }

  @Override
  public void normalizeBack(
      Rows dy,
      Rows x,
      double[] mean,
      @Nullable Rectified rectified,
      double[] a,
      double[] b,
      double[] c,
      Rows dx) {
    x.checkLike(dy);
    x.checkLike(dx);
    int channels = x.channels();
    for (long i = 0; i < x.count() * channels; i++) {
      int ch = (int) (i % channels);
      double centred = get(x, i) - mean[ch];
      double g = passed(rectified, ch, centred) ? get(dy, i) : 0;
      set(dx, i, g * a[ch] + centred * b[ch] + c[ch]);
    }
  }

  private static boolean passed(@Nullable Rectified rectified, int c, double centred) {
    return rectified == null || centred * rectified.scale()[c] + rectified.shift()[c] > 0;
  }

  private static double get(Rows rows, long i) {
    return switch (rows.type()) {
      case FLOAT32 -> rows.memory().getAtIndex(JAVA_FLOAT, i);
      case FLOAT64 -> rows.memory().getAtIndex(JAVA_DOUBLE, i);
      case BFLOAT16 -> BFloat16.value(rows.memory().getAtIndex(JAVA_SHORT, i));
      case INT64 -> throw wholeNumbers();
    };
  }

  private static void set(Rows rows, long i, double v) {
    switch (rows.type()) {
      case FLOAT32 -> rows.memory().setAtIndex(JAVA_FLOAT, i, (float) v);
      case FLOAT64 -> rows.memory().setAtIndex(JAVA_DOUBLE, i, v);
      case BFLOAT16 -> rows.memory().setAtIndex(JAVA_SHORT, i, BFloat16.nearest((float) v));
      case INT64 -> throw wholeNumbers();
    }
  }

  private static IllegalArgumentException wholeNumbers() {
    return new IllegalArgumentException(
        "batch norm runs in FLOAT32, FLOAT64 or BFLOAT16, but was given INT64");
  }
}
