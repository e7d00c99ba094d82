package fathom.kernel;

import fathom.Tensor;
import org.jspecify.annotations.Nullable;

/// Batch norm on tensors in the memory of the processor: allocates the results and runs the loops
/// of a [BatchNormLoops] over that memory.
record BatchNormInMemory(BatchNormLoops loops) implements BatchNormKernel {
  @Override
  public void moments(Tensor x, double[] sums) {
    loops.moments(rows(x), sums);
  }

  @Override
  public Tensor normalize(
      Tensor x,
      double[] mean,
      double[] scale,
      double[] shift,
      @Nullable Tensor addend,
      boolean rectify) {
    Tensor y = x.emptyLike();
    Rows added = addend == null ? null : rows(addend);
    loops.normalize(rows(x), mean, scale, shift, added, rectify, rows(y));
    return y;
  }

  @Override
  public void momentsBack(
      Tensor dy, Tensor x, double[] mean, @Nullable Rectified rectified, double[] sums) {
    loops.momentsBack(rows(dy), rows(x), mean, rectified, sums);
  }

  @Override
  public Tensor momentsBack(Tensor dy, Tensor y, Tensor x, double[] mean, double[] sums) {
    Tensor g = x.emptyLike();
    loops.momentsBack(rows(dy), rows(y), rows(x), mean, rows(g), sums);
    return g;
  }

  @Override
  public Tensor normalizeBack(
      Tensor dy,
      Tensor x,
      double[] mean,
      @Nullable Rectified rectified,
      double[] a,
      double[] b,
      double[] c) {
    Tensor dx = x.emptyLike();
    loops.normalizeBack(rows(dy), rows(x), mean, rectified, a, b, c, rows(dx));
    return dx;
  }

  private static Rows rows(Tensor t) {
    return Rows.of(t, Math.toIntExact(t.shape().size(1)));
  }
}
