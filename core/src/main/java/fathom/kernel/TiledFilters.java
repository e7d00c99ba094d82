package fathom.kernel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import fathom.DType;
import fathom.Shape;
import fathom.Tensor;
import java.lang.foreign.MemorySegment;

/// A convolution w∗x + b for many predictions with the same weight: the weight is transformed once
/// for [Winograd]'s tiles and kept with the bias. The free cores ([fathom.parallel.Cores]) share
/// the tiles.
public final class TiledFilters implements KeptFilters {
  /// Transformed filters of up to this many elements, 1 MiB, lie in the heap, where they are
  /// multiplied without a copy. Larger ones lie outside it, because the heap is limited and a layer
  /// with so many filters spends little of its time on the copy.
  private static final int MOST_ON_HEAP = 1 << 18;

  private final int out;
  private final Winograd.Filters filters;

  private TiledFilters(int out, Winograd.Filters filters) {
    this.out = out;
    this.filters = filters;
  }

  /// Transforms a weight O×C×3×3 in channels-last memory, with a bias of O elements. Filters of
  /// more than 1 MiB lie in memory of the innermost scope.
  public static TiledFilters of(Tensor weight, Tensor bias) {
    float[] each = bias.segment().toArray(JAVA_FLOAT);
    int in = Math.toIntExact(weight.shape().size(1));
    int size = Math.toIntExact(Winograd.Filters.size(in, each.length));
    MemorySegment memory =
        size <= MOST_ON_HEAP
            ? MemorySegment.ofArray(new float[size])
            : Tensor.empty(weight.type(), size).segment();
    var filters = Winograd.Filters.of(weight.segment(), in, each, memory);
    return new TiledFilters(each.length, filters);
  }

  /// Tiles suit images of any number and size for which they are the faster method.
  @Override
  public boolean isFor(Shape images) {
    return Kernels.inKeptTiles(images, DType.FLOAT32, out);
  }

  @Override
  public Tensor apply(Tensor x, boolean rectified) {
    Tensor y = Convolution.images(x, out);
    filters.convolve(FeatureMaps.of(x), false, rectified, FeatureMaps.of(y));
    return y;
  }

  @Override
  public void addTo_(Tensor sum, Tensor x, boolean rectified) {
    filters.convolve(FeatureMaps.of(x), true, rectified, FeatureMaps.of(sum));
  }
}
