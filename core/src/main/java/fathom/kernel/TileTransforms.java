package fathom.kernel;

import static fathom.kernel.PackedMatrix.load;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// The transforms of [Winograd] in two dimensions, for bands and filters whose channels lie
/// innermost. Each transforms along one dimension first and then along the other.
///
/// Each transform is a method that is too long to be inlined into its caller. Two of them together
/// pass a limit of the compiler, beyond which every vector becomes an object and the transform
/// takes three times as long (WinogradTest counts the garbage). For the same reason the constants
/// are put into vectors before the loops.
final class TileTransforms {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final int L = S.length();

  /// The number of points at which the polynomials of one dimension are multiplied: 0, A, −A, B, −B
  /// and ∞.
  static final int POINTS = 6;

  /// The number of outputs along one dimension of a tile.
  static final int TILE = 4;

  /// The number of filters that are transformed at a time.
  static final int FILTERS = 1024;

  private static final float A = (float) Math.sqrt(0.5);
  private static final float B = (float) Math.sqrt(2);

  private TileTransforms() {}

  /// Computes Bᵀ·d·B: transforms a band of six rows to its tiles. Overwrites the band.
  static void data(
      float[] band,
      int row,
      int across,
      int channels,
      float[] tiles,
      int at,
      Winograd.Layout layout) {
    int step = layout.place();
    int tile = layout.tile();
    int channel = layout.channel();
    FloatVector minus2 = FloatVector.broadcast(S, -2);
    FloatVector minusHalf = FloatVector.broadcast(S, -0.5f);
    FloatVector minusSum = FloatVector.broadcast(S, -2.5f);
    FloatVector a = FloatVector.broadcast(S, A);
    FloatVector minusA = FloatVector.broadcast(S, -A);
    FloatVector b = FloatVector.broadcast(S, B);
    FloatVector minusB = FloatVector.broadcast(S, -B);
    for (int i = 0; i < row; i += L) {
      FloatVector d0 = load(band, i);
      FloatVector d1 = load(band, i + row);
      FloatVector d2 = load(band, i + 2 * row);
      FloatVector d3 = load(band, i + 3 * row);
      FloatVector d4 = load(band, i + 4 * row);
      FloatVector d5 = load(band, i + 5 * row);
      FloatVector evenA = d2.fma(minus2, d4);
      FloatVector oddA = d1.fma(minus2, d3);
      FloatVector evenB = d2.fma(minusHalf, d4);
      FloatVector oddB = d1.fma(minusHalf, d3);
      d2.fma(minusSum, d0.add(d4)).intoArray(band, i);
      oddA.fma(a, evenA).intoArray(band, i + row);
      oddA.fma(minusA, evenA).intoArray(band, i + 2 * row);
      oddB.fma(b, evenB).intoArray(band, i + 3 * row);
      oddB.fma(minusB, evenB).intoArray(band, i + 4 * row);
      d3.fma(minusSum, d1.add(d5)).intoArray(band, i + 5 * row);
    }
    for (int i = 0; i < POINTS; i++) {
      for (int t = 0; t < across; t++) {
        int from = i * row + t * TILE * channels;
        int to = at + i * POINTS * step + t * tile;
        for (int c = 0; c < channels; c += L) {
          FloatVector d0 = load(band, from + c);
          FloatVector d1 = load(band, from + c + channels);
          FloatVector d2 = load(band, from + c + 2 * channels);
          FloatVector d3 = load(band, from + c + 3 * channels);
          FloatVector d4 = load(band, from + c + 4 * channels);
          FloatVector d5 = load(band, from + c + 5 * channels);
          FloatVector evenA = d2.fma(minus2, d4);
          FloatVector oddA = d1.fma(minus2, d3);
          FloatVector evenB = d2.fma(minusHalf, d4);
          FloatVector oddB = d1.fma(minusHalf, d3);
          d2.fma(minusSum, d0.add(d4)).intoArray(tiles, to + c * channel);
          oddA.fma(a, evenA).intoArray(tiles, to + c * channel + step);
          oddA.fma(minusA, evenA).intoArray(tiles, to + c * channel + 2 * step);
          oddB.fma(b, evenB).intoArray(tiles, to + c * channel + 3 * step);
          oddB.fma(minusB, evenB).intoArray(tiles, to + c * channel + 4 * step);
          d3.fma(minusSum, d1.add(d5)).intoArray(tiles, to + c * channel + 5 * step);
        }
      }
    }
  }

  /// Computes Aᵀ·m·A: transforms tiles to the four rows of their band. The band's rows five and six
  /// are overwritten too.
  static void value(
      float[] tiles, int at, int step, int across, int channels, float[] band, int row) {
    FloatVector a = FloatVector.broadcast(S, A);
    FloatVector half = FloatVector.broadcast(S, 0.5f);
    FloatVector halfA = FloatVector.broadcast(S, 0.5f * A);
    FloatVector twoB = FloatVector.broadcast(S, 2 * B);
    FloatVector b = FloatVector.broadcast(S, B);
    for (int i = 0; i < POINTS; i++) {
      for (int t = 0; t < across; t++) {
        int from = at + i * POINTS * step + t * channels;
        int to = i * row + t * TILE * channels;
        for (int c = 0; c < channels; c += L) {
          FloatVector m0 = load(tiles, from + c);
          FloatVector a0 = load(tiles, from + c + step);
          FloatVector a1 = load(tiles, from + c + 2 * step);
          FloatVector b0 = load(tiles, from + c + 3 * step);
          FloatVector b1 = load(tiles, from + c + 4 * step);
          FloatVector m5 = load(tiles, from + c + 5 * step);
          FloatVector evenA = a0.add(a1);
          FloatVector oddA = a0.sub(a1);
          FloatVector evenB = b0.add(b1);
          FloatVector oddB = b0.sub(b1);
          m0.add(evenA).add(evenB).intoArray(band, to + c);
          oddA.fma(a, oddB.mul(b)).intoArray(band, to + c + channels);
          evenA.fma(half, evenB.add(evenB)).intoArray(band, to + c + 2 * channels);
          oddA.fma(halfA, oddB.fma(twoB, m5)).intoArray(band, to + c + 3 * channels);
        }
      }
    }
    for (int i = 0; i < row; i += L) {
      FloatVector m0 = load(band, i);
      FloatVector a0 = load(band, i + row);
      FloatVector a1 = load(band, i + 2 * row);
      FloatVector b0 = load(band, i + 3 * row);
      FloatVector b1 = load(band, i + 4 * row);
      FloatVector m5 = load(band, i + 5 * row);
      FloatVector evenA = a0.add(a1);
      FloatVector oddA = a0.sub(a1);
      FloatVector evenB = b0.add(b1);
      FloatVector oddB = b0.sub(b1);
      m0.add(evenA).add(evenB).intoArray(band, i);
      oddA.fma(a, oddB.mul(b)).intoArray(band, i + row);
      evenA.fma(half, evenB.add(evenB)).intoArray(band, i + 2 * row);
      oddA.fma(halfA, oddB.fma(twoB, m5)).intoArray(band, i + 3 * row);
    }
  }

  /// Computes A·dY·Aᵀ: transforms a band of four rows, which has room for six, to its tiles.
  /// Overwrites the band.
  static void valueBack(
      float[] band,
      int row,
      int across,
      int channels,
      float[] tiles,
      int at,
      Winograd.Layout layout) {
    int step = layout.place();
    int tile = layout.tile();
    int channel = layout.channel();
    FloatVector half = FloatVector.broadcast(S, 0.5f);
    FloatVector two = FloatVector.broadcast(S, 2);
    FloatVector a = FloatVector.broadcast(S, A);
    FloatVector minusA = FloatVector.broadcast(S, -A);
    FloatVector b = FloatVector.broadcast(S, B);
    FloatVector minusB = FloatVector.broadcast(S, -B);
    for (int i = 0; i < row; i += L) {
      FloatVector y0 = load(band, i);
      FloatVector y1 = load(band, i + row);
      FloatVector y2 = load(band, i + 2 * row);
      FloatVector y3 = load(band, i + 3 * row);
      FloatVector evenA = y2.fma(half, y0);
      FloatVector oddA = y3.fma(half, y1);
      FloatVector evenB = y2.fma(two, y0);
      FloatVector oddB = y3.fma(two, y1);
      oddA.fma(a, evenA).intoArray(band, i + row);
      oddA.fma(minusA, evenA).intoArray(band, i + 2 * row);
      oddB.fma(b, evenB).intoArray(band, i + 3 * row);
      oddB.fma(minusB, evenB).intoArray(band, i + 4 * row);
      y3.intoArray(band, i + 5 * row);
    }
    for (int i = 0; i < POINTS; i++) {
      for (int t = 0; t < across; t++) {
        int from = i * row + t * TILE * channels;
        int to = at + i * POINTS * step + t * tile;
        for (int c = 0; c < channels; c += L) {
          FloatVector y0 = load(band, from + c);
          FloatVector y1 = load(band, from + c + channels);
          FloatVector y2 = load(band, from + c + 2 * channels);
          FloatVector y3 = load(band, from + c + 3 * channels);
          FloatVector evenA = y2.fma(half, y0);
          FloatVector oddA = y3.fma(half, y1);
          FloatVector evenB = y2.fma(two, y0);
          FloatVector oddB = y3.fma(two, y1);
          y0.intoArray(tiles, to + c * channel);
          oddA.fma(a, evenA).intoArray(tiles, to + c * channel + step);
          oddA.fma(minusA, evenA).intoArray(tiles, to + c * channel + 2 * step);
          oddB.fma(b, evenB).intoArray(tiles, to + c * channel + 3 * step);
          oddB.fma(minusB, evenB).intoArray(tiles, to + c * channel + 4 * step);
          y3.intoArray(tiles, to + c * channel + 5 * step);
        }
      }
    }
  }

  /// Computes G·g·Gᵀ of the `count` filters from `first` on, out of `size` filters.
  static void filter(float[] taps, int first, int size, int count, float[] half, float[] filters) {
    FloatVector oneHalf = FloatVector.broadcast(S, 0.5f);
    FloatVector two = FloatVector.broadcast(S, 2);
    FloatVector minusA = FloatVector.broadcast(S, -2f / 3 * A);
    FloatVector a = FloatVector.broadcast(S, 2f / 3 * A);
    FloatVector b = FloatVector.broadcast(S, B / 6);
    FloatVector minusB = FloatVector.broadcast(S, -B / 6);
    FloatVector minusTwoThirds = FloatVector.broadcast(S, -2f / 3);
    FloatVector sixth = FloatVector.broadcast(S, 1f / 6);
    for (int j = 0; j < 3; j++) {
      for (int i = 0; i < count; i += L) {
        int from = j * size + first + i;
        FloatVector g0 = load(taps, from);
        FloatVector g1 = load(taps, from + 3 * size);
        FloatVector g2 = load(taps, from + 6 * size);
        FloatVector evenA = g2.fma(oneHalf, g0).mul(minusTwoThirds);
        FloatVector evenB = g2.fma(two, g0).mul(sixth);
        int to = j * FILTERS + i;
        g0.intoArray(half, to);
        g1.fma(minusA, evenA).intoArray(half, to + 3 * FILTERS);
        g1.fma(a, evenA).intoArray(half, to + 6 * FILTERS);
        g1.fma(b, evenB).intoArray(half, to + 9 * FILTERS);
        g1.fma(minusB, evenB).intoArray(half, to + 12 * FILTERS);
        g2.intoArray(half, to + 15 * FILTERS);
      }
    }
    for (int j = 0; j < POINTS; j++) {
      for (int i = 0; i < count; i += L) {
        int from = 3 * j * FILTERS + i;
        FloatVector g0 = load(half, from);
        FloatVector g1 = load(half, from + FILTERS);
        FloatVector g2 = load(half, from + 2 * FILTERS);
        FloatVector evenA = g2.fma(oneHalf, g0).mul(minusTwoThirds);
        FloatVector evenB = g2.fma(two, g0).mul(sixth);
        int to = j * POINTS * size + first + i;
        g0.intoArray(filters, to);
        g1.fma(minusA, evenA).intoArray(filters, to + size);
        g1.fma(a, evenA).intoArray(filters, to + 2 * size);
        g1.fma(b, evenB).intoArray(filters, to + 3 * size);
        g1.fma(minusB, evenB).intoArray(filters, to + 4 * size);
        g2.intoArray(filters, to + 5 * size);
      }
    }
  }

  /// Computes Gᵀ·s·G of the `count` sums from `first` on, out of `size` sums.
  static void filterBack(float[] sums, int first, int size, int count, float[] half, float[] taps) {
    FloatVector minusTwoThirds = FloatVector.broadcast(S, -2f / 3);
    FloatVector sixth = FloatVector.broadcast(S, 1f / 6);
    FloatVector minusA = FloatVector.broadcast(S, -2f / 3 * A);
    FloatVector third = FloatVector.broadcast(S, 1f / 3);
    FloatVector b = FloatVector.broadcast(S, B / 6);
    for (int j = 0; j < POINTS; j++) {
      for (int i = 0; i < count; i += L) {
        int from = j * POINTS * size + first + i;
        FloatVector u0 = load(sums, from);
        FloatVector a0 = load(sums, from + size);
        FloatVector a1 = load(sums, from + 2 * size);
        FloatVector b0 = load(sums, from + 3 * size);
        FloatVector b1 = load(sums, from + 4 * size);
        FloatVector u5 = load(sums, from + 5 * size);
        FloatVector evenA = a0.add(a1);
        FloatVector evenB = b0.add(b1);
        int to = 3 * j * FILTERS + i;
        evenA.fma(minusTwoThirds, evenB.fma(sixth, u0)).intoArray(half, to);
        a0.sub(a1).fma(minusA, b0.sub(b1).mul(b)).intoArray(half, to + FILTERS);
        evenB.sub(evenA).fma(third, u5).intoArray(half, to + 2 * FILTERS);
      }
    }
    for (int j = 0; j < 3; j++) {
      for (int i = 0; i < count; i += L) {
        int from = j * FILTERS + i;
        FloatVector u0 = load(half, from);
        FloatVector a0 = load(half, from + 3 * FILTERS);
        FloatVector a1 = load(half, from + 6 * FILTERS);
        FloatVector b0 = load(half, from + 9 * FILTERS);
        FloatVector b1 = load(half, from + 12 * FILTERS);
        FloatVector u5 = load(half, from + 15 * FILTERS);
        FloatVector evenA = a0.add(a1);
        FloatVector evenB = b0.add(b1);
        int to = j * size + first + i;
        evenA.fma(minusTwoThirds, evenB.fma(sixth, u0)).intoArray(taps, to);
        a0.sub(a1).fma(minusA, b0.sub(b1).mul(b)).intoArray(taps, to + 3 * size);
        evenB.sub(evenA).fma(third, u5).intoArray(taps, to + 6 * size);
      }
    }
  }
}
