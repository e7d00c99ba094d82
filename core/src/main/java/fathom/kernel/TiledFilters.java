package fathom.kernel;

import fathom.Tensor;
import java.lang.foreign.MemorySegment;

/// A weight that was transformed once for [Winograd]'s tiles, for many predictions, with the bias
/// that follows it: w∗x + b. The cores that are free ([fathom.parallel.Cores]) share the tiles.
public final class TiledFilters {
  /// Filters of so many elements, 1 MiB, lie in the heap, where they are multiplied without a copy.
  /// In a layer with more of them the copy takes little of the time, and the heap has its limit.
  private static final int MOST_ON_HEAP = 1 << 18;

  private final int out;
  private final Winograd.Filters filters;

  private TiledFilters(int out, Winograd.Filters filters) {
    this.out = out;
    this.filters = filters;
  }

  /// Of w, O×C×3×3 in channels-last memory, and a bias of O; what is large is in memory of the
  /// innermost scope.
  public static TiledFilters of(Tensor weight, Tensor bias) {
    double[] constants = bias.toDoubles();
    float[] each = new float[constants.length];
    for (int i = 0; i < each.length; i++) {
      each[i] = (float) constants[i];
    }
    int in = Math.toIntExact(weight.shape().size(1));
    int size = Math.toIntExact(Winograd.Filters.size(in, each.length));
    MemorySegment memory =
        size <= MOST_ON_HEAP
            ? MemorySegment.ofArray(new float[size])
            : Tensor.empty(weight.type(), size).segment();
    var filters = Winograd.Filters.of(weight.segment(), in, each, memory);
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
