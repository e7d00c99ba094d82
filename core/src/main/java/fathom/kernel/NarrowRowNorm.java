package fathom.kernel;

import static fathom.kernel.FourRows.L;
import static fathom.kernel.FourRows.S;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import fathom.kernel.RowNorm.Form;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// The forward pass of [VectorRowNorm] for rows of at most [RowBlock#WIDEST] elements, whose
/// mathematics it has.
///
/// Rows are processed in blocks. The pass that reads a block copies it to y, and the rows are
/// normalized there: memory is read and written as by a copy, in its own order.
///
/// @param s what is normalized
record NarrowRowNorm(
    Form form,
    float[] gain,
    float[] bias,
    Rows x,
    @Nullable Rows addend,
    Rows s,
    Rows y,
    @Nullable Rows statistics) {

  void rows(long from, long to) {
    var block = new RowBlock(s.channels());
    float[] pivots = new float[block.most()];
    double[] mean = new double[block.most()];
    double[] variance = new double[block.most()];
    double[] reciprocal = new double[block.most()];
    for (long first = from; first < to; first += block.most()) {
      int count = (int) Math.min(block.most(), to - first);
      if (form.centred()) {
        pivots(first, count, pivots);
      }
      differences(first, count, pivots, block);
      moments(form, block, count, pivots, mean, variance, reciprocal);
      block.clear();
      for (int i = 0; i < count; i++) {
        if (variance[i] >= VectorRowNorm.LEAST_VARIANCE && variance[i] < Double.POSITIVE_INFINITY) {
          keep(first + i, mean[i], reciprocal[i]);
          block.add(first + i, mean[i], reciprocal[i]);
        } else { // float32 does not suffice
          double[] gains = FourRows.doubles(gain);
          ScalarRowNorm.normalize(form, gains, FourRows.doubles(bias), s, y, statistics, first + i);
        }
      }
      normalize(block);
    }
  }

  private void keep(long row, double mean, double reciprocal) {
    if (statistics != null) {
      statistics.memory().setAtIndex(JAVA_DOUBLE, 2 * row, mean);
      statistics.memory().setAtIndex(JAVA_DOUBLE, 2 * row + 1, reciprocal);
    }
  }

  /// Estimates the mean of each row: the mean of four vectors of it, or of all elements if it is
  /// shorter.
  private void pivots(long first, int count, float[] pivots) {
    int width = s.channels();
    MemorySegment more = addend == null ? null : addend.memory();
    if (width < 4 * L) {
      for (int i = 0; i < count; i++) {
        pivots[i] = NarrowRowNormLoops.mean(x.memory(), more, (first + i) * width, width);
      }
      return;
    }
    if (more == null) {
      NarrowRowNormLoops.samples(x.memory(), first * width, width, count, pivots);
    } else {
      NarrowRowNormLoops.samples(x.memory(), more, first * width, width, count, pivots);
    }
  }

  /// Computes Σ (s − pivot) and Σ (s − pivot)² of each row. A pivot that was far from the mean
  /// moves to the mean.
  private void differences(long first, int count, float[] pivots, RowBlock block) {
    int width = s.channels();
    MemorySegment more = addend == null ? null : addend.memory();
    differences(x.memory(), more, first, count, pivots, block);
    for (int i = 0; i < count && form.centred(); i++) {
      double shift = block.first[i] / width;
      if (shift * shift > VectorRowNorm.FAR * block.second[i] / width) {
        pivots[i] += (float) shift;
        again(first + i, i, pivots, block);
      }
    }
  }

  /// Repeats the differences of a row, which is number `place` of the block.
  private void again(long row, int place, float[] pivots, RowBlock block) {
    var alone = new RowBlock(s.channels());
    differences(s.memory(), null, row, 1, new float[] {pivots[place]}, alone);
    block.first[place] = alone.first[0];
    block.second[place] = alone.second[0];
  }

  private void differences(
      MemorySegment from,
      @Nullable MemorySegment more,
      long first,
      int count,
      float[] pivots,
      RowBlock block) {
    int width = s.channels();
    long at = first * width;
    block.clearSums();
    int whole = S.loopBound(width);
    if (more == null) {
      NarrowRowNormLoops.differences(from, y.memory(), at, width, whole, count, pivots, block);
    } else {
      NarrowRowNormLoops.addedDifferences(
          from, more, s.memory(), y.memory(), at, width, whole, count, pivots, block);
    }
    block.total(count);
    for (int i = 0; i < count && whole < width; i++) {
      restOfDifferences(from, more, at + (long) i * width, whole, pivots[i], i, block);
    }
  }

  /// Adds the last elements of a row, fewer than a vector has.
  private void restOfDifferences(
      MemorySegment from,
      @Nullable MemorySegment more,
      long at,
      int done,
      float pivot,
      int place,
      RowBlock block) {
    for (int i = done; i < s.channels(); i++) {
      float v = from.getAtIndex(JAVA_FLOAT, at + i);
      if (more != null) {
        v += more.getAtIndex(JAVA_FLOAT, at + i);
        s.memory().setAtIndex(JAVA_FLOAT, at + i, v);
      }
      double d = v - pivot;
      block.first[place] += d;
      block.second[place] += d * d;
    }
  }

  /// Computes `y = ((s − m)·r + c)·gain + bias` for the rows of a block.
  private void normalize(RowBlock block) {
    int n = s.channels();
    int whole = S.loopBound(n);
    if (n % (4 * L) == 0) {
      NarrowRowNormLoops.normalizeColumns(y.memory(), block, block.count(), n, gain, bias);
    } else {
      block.fill();
      NarrowRowNormLoops.normalizeRows(
          s.memory(), y.memory(), block, block.count(), n, whole, gain, bias);
      for (int row = 0; row < block.count() && whole < n; row++) {
        rest(block, row, whole);
      }
    }
  }

  private void rest(RowBlock block, int row, int whole) {
    long at = block.rows[row] * s.channels();
    for (int i = whole; i < s.channels(); i++) {
      float d = s.memory().getAtIndex(JAVA_FLOAT, at + i) - block.mean[row];
      float normal = d * block.reciprocal[row] + block.lost[row];
      y.memory().setAtIndex(JAVA_FLOAT, at + i, normal * gain[i] + bias[i]);
    }
  }

  /// Computes mean, variance with ε, and reciprocal standard deviation of each row from the sums of
  /// its differences.
  private static void moments(
      Form form,
      RowBlock block,
      int count,
      float[] pivots,
      double[] mean,
      double[] variance,
      double[] reciprocal) {
    double share = 1.0 / form.width();
    double centred = form.centred() ? share : 0;
    for (int i = 0; i < count; i++) {
      double shift = block.first[i] * centred;
      mean[i] = pivots[i] + shift;
      variance[i] = Math.max(0, block.second[i] * share - shift * shift) + form.epsilon();
      reciprocal[i] = 1 / Math.sqrt(variance[i]);
    }
  }
}
