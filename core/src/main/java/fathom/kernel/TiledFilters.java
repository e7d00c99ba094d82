package fathom.kernel;

import fathom.Tensor;

/// A weight that was transformed once for [Winograd]'s tiles, for many predictions, with the bias
/// that follows it: w∗x + b. The cores that are free ([fathom.parallel.Cores]) share the tiles.
public final class TiledFilters {
  private final int out;
  private final Winograd.Filters filters;

  private TiledFilters(int out, Winograd.Filters filters) {
    this.out = out;
    this.filters = filters;
  }

  /// Of w, O×C×3×3 in channels-last memory, and a bias of O, in memory of the innermost scope.
  public static TiledFilters of(Tensor weight, Tensor bias) {
    double[] constants = bias.toDoubles();
    float[] each = new float[constants.length];
    for (int i = 0; i < each.length; i++) {
      each[i] = (float) constants[i];
    }
    int in = Math.toIntExact(weight.shape().size(1));
    Tensor memory = Tensor.empty(weight.type(), Winograd.Filters.size(in, each.length));
    var filters = Winograd.Filters.of(weight.segment(), in, each, memory.segment());
    return new TiledFilters(each.length, filters);
  }

  /// w∗x + b, rectified or not.
  public Tensor apply(Tensor x, boolean rectified) {
    Tensor y = Convolution.images(x, out);
    filters.convolve(FeatureMaps.of(x), false, rectified, FeatureMaps.of(y));
    return y;
  }

  /// `sum = f(sum + w∗x + b)`, with f the rectifier or nothing. `sum` is in channels-last memory.
  public void addTo_(Tensor sum, Tensor x, boolean rectified) {
    filters.convolve(FeatureMaps.of(x), true, rectified, FeatureMaps.of(sum));
  }
}
