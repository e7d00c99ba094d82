package fathom.kernel;

import fathom.kernel.BatchNormKernel.Rectified;
import org.jspecify.annotations.Nullable;

/// The equations of [BatchNormKernel] as plain loops, in double precision for every element type.
/// It is the specification of [VectorBatchNorm] and the form that computes float64 tensors.
final class ScalarBatchNorm implements BatchNormLoops {
  @Override
  public void moments(Rows x, double[] sums) {
    int channels = x.channels();
    for (long i = 0; i < x.count() * channels; i++) {
      int c = (int) (i % channels);
      double v = x.get(i);
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
      double v = (x.get(i) - mean[c]) * scale[c] + shift[c];
      if (addend != null) {
        v += addend.get(i);
      }
      y.set(i, rectify ? Math.max(v, 0) : v);
    }
  }

  @Override
  public void momentsBack(
      Rows dy, Rows x, double[] mean, @Nullable Rectified rectified, double[] sums) {
    x.checkLike(dy);
    int channels = x.channels();
    for (long i = 0; i < x.count() * channels; i++) {
      int c = (int) (i % channels);
      double centred = x.get(i) - mean[c];
      double g = passed(rectified, c, centred) ? dy.get(i) : 0;
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
      g.set(i, y.get(i) > 0 ? dy.get(i) : 0);
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
      double centred = x.get(i) - mean[ch];
      double g = passed(rectified, ch, centred) ? dy.get(i) : 0;
      dx.set(i, g * a[ch] + centred * b[ch] + c[ch]);
    }
  }

  private static boolean passed(@Nullable Rectified rectified, int c, double centred) {
    return rectified == null || centred * rectified.scale()[c] + rectified.shift()[c] > 0;
  }
}
