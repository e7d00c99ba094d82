package fathom.kernel;

import static fathom.kernel.PackedMatrix.load;
import static fathom.kernel.TileTransforms.FILTERS;
import static fathom.kernel.TileTransforms.POINTS;
import static fathom.kernel.TileTransforms.TILE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import fathom.parallel.Cores;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;
import org.jspecify.annotations.Nullable;

/// 3×3 convolutions at stride 1, padded by 1, with a quarter of the multiplications: minimal
/// filtering F(4×4, 3×3) (Winograd 1980; Lavin and Gray 2016, arXiv 1509.09308).
///
/// A tile of 4×4 outputs depends on 6×6 pixels d and, for each pair of channels, on a 3×3 filter g.
/// In one dimension the four outputs are Aᵀ·((G·g) ⊙ (Bᵀ·d)): a product of two polynomials,
/// computed from their values at six points, where they only need to be multiplied. In two
/// dimensions
///
/// Y = Aᵀ·((G·g·Gᵀ) ⊙ (Bᵀ·d·B))·A,
///
/// and the sum over channels can be taken before the last transform: for each of the 36 places of a
/// transformed tile it is a matrix product [tiles × channels in] · [channels in × channels out].
/// That is 36 multiplications a tile where the definition has 144.
///
/// The points are 0, ±√½, ±√2 and ∞. Larger points such as ±1 and ±2, with their powers, cost more
/// digits.
///
/// The gradient of the argument is the same convolution, of dE/dy by filters turned by 180° with in
/// and out exchanged. The gradient of the filters is the transpose of the formula: the sum over
/// tiles of (Bᵀ·d·B) ⊗ (A·dY·Aᵀ), 36 matrix products again, and then Gᵀ·…·G.
///
/// Every step handles a few tiles at a time, so that transformed tiles stay in the cache. Rounding
/// errors are a few times those of the direct sums. A pixel that is NaN or infinite spoils its
/// whole tile.
final class Winograd {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final int L = S.length();

  /// The number of elements, or places, of a transformed tile.
  private static final int PLACES = POINTS * POINTS;

  /// The number of tiles that are transformed at a time, rounded up to whole rows of tiles.
  private static final int TILES = 48;

  /// The most elements that an array of a thread may have: 64 MiB.
  private static final int LARGEST = 1 << 24;

  /// The most elements of transformed filters that stay in a cache from one image to the next, 4
  /// MiB.
  private static final int IN_CACHE = 1 << 20;

  /// Extra elements between the places of a tile. Without them the distance would be a power of
  /// two, and the places would compete for one set of the cache.
  private static final int SKEW = 16;

  private static final ThreadLocal<Workspace> WORKSPACE = ThreadLocal.withInitial(Workspace::new);

  private Winograd() {}

  /// Whether the operations below are possible for these numbers of channels.
  static boolean takes(int in, int out) {
    return L >= PackedMatrix.ROWS && in % L == 0 && out % L == 0;
  }

  /// Whether the operations are possible, take less time than the direct sums, and keep within the
  /// limit of memory. With fewer than 32 tiles the transforms of the filters cost what the tiles
  /// save. Where images fill less than half of their tiles, little is saved.
  static boolean pays(long count, long height, long width, int in, int out) {
    return pays(32, count, height, width, in, out);
  }

  /// Whether the same holds for [Filters], which are transformed once: for them four tiles are
  /// enough, or eight if the filters exceed a cache, because reading four times the weight takes
  /// longer than what so few tiles save.
  static boolean paysKept(long count, long height, long width, int in, int out) {
    int fewest = Filters.size(in, out) <= IN_CACHE ? PackedMatrix.ROWS : 2 * PackedMatrix.ROWS;
    return pays(fewest, count, height, width, in, out);
  }

  private static boolean pays(int fewest, long count, long height, long width, int in, int out) {
    long across = tilesAcross(width);
    long tiles = count * tilesAcross(height) * across;
    long filters = (long) in * out;
    long atOnce = (TILES + across) * Math.max(in, out);
    return takes(in, out)
        && tiles >= fewest
        && TILE * TILE * tiles <= 2 * count * height * width
        && PLACES * Math.max(filters, atOnce) <= LARGEST;
  }

  private static long tilesAcross(long pixels) {
    return (pixels + TILE - 1) / TILE;
  }

  /// Computes y = w ∗ x for w of out×3×3×in, the layout of a weight in channels-last memory.
  static void convolve(FeatureMaps x, MemorySegment w, FeatureMaps y) {
    check(x, w, y);
    Workspace space = WORKSPACE.get();
    int size = x.channels() * y.channels();
    float[] filters = space.filters.atLeast(PLACES * size);
    filters(w, x.channels(), y.channels(), space, filters);
    correlate(x, filters, y, space);
  }

  /// Filters that are transformed once for many predictions, with the bias.
  static final class Filters {
    private final int in;
    private final Places places;
    private final float[] bias;

    private Filters(int in, Places places, float[] bias) {
      this.in = in;
      this.places = places;
      this.bias = bias;
    }

    /// The number of elements of the transformed filters.
    static long size(int in, int out) {
      return (long) PLACES * in * out;
    }

    /// Transforms w of out×3×3×in, with a bias for each output channel, into memory of [#size]
    /// elements, which must outlive the filters. If that memory is an array of floats, products
    /// read it in place; otherwise each panel is copied before all tiles pass it.
    static Filters of(MemorySegment w, int in, float[] bias, MemorySegment memory) {
      int out = bias.length;
      check(in, w, out);
      if (memory.byteSize() != 4 * size(in, out)) {
        throw new IllegalArgumentException(
            "transformed filters of %s to %s channels need %s bytes, but the memory has %s"
                .formatted(in, out, 4 * size(in, out), memory.byteSize()));
      }
      Workspace space = WORKSPACE.get();
      float[] places = space.filters.atLeast(PLACES * in * out);
      filters(w, in, out, space, places);
      MemorySegment.copy(places, 0, memory, JAVA_FLOAT, 0, PLACES * in * out);
      return new Filters(in, new Places(memory), bias.clone());
    }

    /// Computes y = f(w ∗ x + bias), or y = f(y + w ∗ x + bias) if `add`, where f is the rectifier
    /// if `rectify` and else the identity. The free cores share the bands, or the output channels
    /// where these are more than the tiles, because each core reads all of what is not shared.
    /// Neither changes a bit of the result.
    void convolve(FeatureMaps x, boolean add, boolean rectify, FeatureMaps y) {
      x.checkPixels(y);
      int out = bias.length;
      if (x.channels() != in || y.channels() != out) {
        throw new IllegalArgumentException(
            "these filters make %s channels of %s, but were given images of %s for %s"
                .formatted(out, in, x.channels(), y.channels()));
      }
      var last = new Last(bias, add, rectify ? 0 : Float.NEGATIVE_INFINITY);
      Tiling tiling = Tiling.of(x);
      long tiles = tiling.bands * tiling.across;
      int panels = Math.ceilDiv(out, 2 * L);
      // These count a product for each place, of a row for each tile, with `in` times `out`
      // elements.
      long perTile = size(in, out);
      if (tiles < out && panels >= Cores.parts(tiles * perTile, PackedMatrix.LEAST_WORK)) {
        Cores.split(
            panels,
            Math.ceilDiv(PackedMatrix.LEAST_WORK, Math.max(1, tiles * perTile / panels)),
            (from, to, _) -> {
              var channels = new Channels((int) from * 2 * L, Math.min(out, (int) to * 2 * L));
              correlate(tiling, 0, tiling.bands, x, places, channels, y, last, WORKSPACE.get());
            });
      } else {
        Cores.split(
            tiling.bands,
            Math.ceilDiv(PackedMatrix.LEAST_WORK, tiling.across * perTile),
            (from, to, _) -> {
              var channels = new Channels(0, out);
              correlate(tiling, from, to, x, places, channels, y, last, WORKSPACE.get());
            });
      }
    }
  }

  /// Transformed filters, place by place, each a packed matrix.
  private static final class Places {
    private final MemorySegment memory;
    private final float @Nullable [] onHeap;

    Places(MemorySegment memory) {
      this.memory = memory;
      this.onHeap = (float[]) memory.heapBase().orElse(null);
    }

    /// Multiplies `n` rows of x by the columns `c .. c+width-1`, a panel, of the matrix that begins
    /// at `at`.
    void times(
        float[] x,
        int xAt,
        int n,
        int in,
        int at,
        int c,
        int width,
        float[] y,
        int yAt,
        int apart,
        Workspace space) {
      int panelAt = at + in * c;
      if (onHeap != null) {
        PackedMatrix.timesPanel(x, xAt, n, in, onHeap, panelAt, width, y, yAt, apart);
        return;
      }
      float[] panel = space.panel.atLeast(in * width);
      MemorySegment.copy(memory, JAVA_FLOAT, 4L * panelAt, panel, 0, in * width);
      PackedMatrix.timesPanel(x, xAt, n, in, panel, 0, width, y, yAt, apart);
    }
  }

  /// Output channels `from .. to-1`, whole panels of the filters.
  private record Channels(int from, int to) {
    int count() {
      return to - from;
    }
  }

  /// The last steps for each output: add a bias, add what is already there, and take max(·, floor).
  private record Last(float[] bias, boolean add, float floor) {}

  private static void filters(MemorySegment w, int in, int out, Workspace space, float[] filters) {
    float[] taps = space.taps.atLeast(9 * in * out);
    float[] plain = space.weight(w);
    for (int tap = 0; tap < 9; tap++) {
      PackedMatrix.pack(plain, tap * in, in, out, 1, 9 * in, taps, tap * in * out);
    }
    transformFilters(taps, in * out, space, filters);
  }

  /// Computes dE/dx from dE/dy for the same w.
  static void convolveBack(FeatureMaps dy, MemorySegment w, FeatureMaps dx) {
    check(dx, w, dy);
    Workspace space = WORKSPACE.get();
    int in = dy.channels();
    int out = dx.channels();
    float[] taps = space.taps.atLeast(9 * in * out);
    float[] plain = space.weight(w);
    for (int tap = 0; tap < 9; tap++) {
      PackedMatrix.pack(plain, (8 - tap) * out, in, out, 9 * out, 1, taps, tap * in * out);
    }
    float[] filters = space.filters.atLeast(PLACES * in * out);
    transformFilters(taps, in * out, space, filters);
    correlate(dy, filters, dx, space);
  }

  /// Computes dE/dw from x and dE/dy.
  static void weightGradient(FeatureMaps x, FeatureMaps dy, MemorySegment dw) {
    check(x, dw, dy);
    Workspace space = WORKSPACE.get();
    int in = x.channels();
    int out = dy.channels();
    int size = in * out;
    Tiling tiling = Tiling.of(x);
    float[] sums = space.filters.atLeast(PLACES * size);
    Arrays.fill(sums, 0, PLACES * size, 0);
    Layout left = Layout.byChannel(tiling.tilesAtOnce(), in);
    Layout right = Layout.byChannel(tiling.tilesAtOnce(), out);
    float[] data = space.data.atLeast(PLACES * left.place);
    float[] values = space.values.atLeast(PLACES * right.place);
    for (long first = 0; first < tiling.bands; first += tiling.bandsAtOnce) {
      int bands = (int) Math.min(tiling.bandsAtOnce, tiling.bands - first);
      transformData(tiling, x, first, bands, space, data, left);
      transformGradients(tiling, dy, first, bands, space, values, right);
      int tiles = bands * tiling.across;
      for (int p = 0; p < PLACES; p++) {
        for (int o = 0; o < out; o += PackedMatrix.panel(out - o)) {
          int b0 = p * right.place + o * right.channel;
          int b1 = b0 + L * right.channel;
          int sumsAt = p * size + in * o;
          boolean narrow = PackedMatrix.panel(out - o) == L;
          for (int i = 0; i < in; i += PackedMatrix.ROWS) {
            int column = p * left.place + left.column(i);
            if (narrow) {
              TileProducts.addNarrow(data, column, values, b0, tiles, sums, sumsAt + i * L);
            } else {
              TileProducts.add(data, column, values, b0, b1, tiles, sums, sumsAt + i * 2 * L);
            }
          }
        }
      }
    }
    float[] taps = filtersBack(space, sums, size);
    float[] plain = space.weight.atLeast(9 * in * out);
    for (int tap = 0; tap < 9; tap++) {
      PackedMatrix.unpack(taps, tap * size, in, out, plain, tap * in, 1, 9 * in);
    }
    MemorySegment.copy(plain, 0, dw, JAVA_FLOAT, 0, 9 * in * out);
  }

  private static void check(FeatureMaps x, MemorySegment w, FeatureMaps y) {
    x.checkPixels(y);
    check(x.channels(), w, y.channels());
  }

  private static void check(int in, MemorySegment w, int out) {
    long bytes = 4L * 9 * in * out;
    if (!takes(in, out) || w.byteSize() != bytes) {
      throw new IllegalArgumentException(
          "channels are multiples of %s, and 3×3 filters of %s to %s of them have %s bytes, but were given %s"
              .formatted(L, in, out, bytes, w.byteSize()));
    }
  }

  /// The layout of transformed tiles: the vector of channels from c on of tile t is at t·tile +
  /// c·channel.
  record Layout(int place, int tile, int channel) {
    /// A row of all channels for each tile, for tiles that are rows of a product.
    static Layout byTile(int tiles, int channels) {
      return new Layout(PackedMatrix.inWholeFours(tiles) * channels + SKEW, channels, 1);
    }

    /// All tiles for each vector of channels, for tiles that are columns of a product.
    static Layout byChannel(int tiles, int channels) {
      return new Layout(tiles * channels + SKEW, L, tiles);
    }

    /// The first tile's element of channel c.
    int column(int c) {
      return c / L * L * channel + c % L;
    }
  }

  /// Images divided into bands. A band is a row of `across` tiles, and `down` bands make an image.
  private record Tiling(int down, int across, long bands, int bandsAtOnce) {
    static Tiling of(FeatureMaps x) {
      int down = (int) tilesAcross(x.height());
      int across = (int) tilesAcross(x.width());
      return new Tiling(down, across, x.count() * down, (TILES + across - 1) / across);
    }

    long image(long band) {
      return band / down;
    }

    /// The first row of pixels of a band.
    int top(long band) {
      return TILE * (int) (band % down);
    }

    int tilesAtOnce() {
      return bandsAtOnce * across;
    }
  }

  private static void correlate(FeatureMaps x, float[] filters, FeatureMaps y, Workspace space) {
    Tiling tiling = Tiling.of(x);
    var all = new Channels(0, y.channels());
    var places = new Places(MemorySegment.ofArray(filters));
    correlate(tiling, 0, tiling.bands, x, places, all, y, null, space);
  }

  /// The convolution of the bands `from .. to-1` by transformed filters, for some channels. The
  /// outputs of a band do not depend on which other bands are computed with it.
  private static void correlate(
      Tiling tiling,
      long from,
      long to,
      FeatureMaps x,
      Places filters,
      Channels channels,
      FeatureMaps y,
      @Nullable Last last,
      Workspace space) {
    int in = x.channels();
    int size = in * y.channels();
    int out = channels.count();
    Layout left = Layout.byTile(tiling.tilesAtOnce(), in);
    Layout right = Layout.byTile(tiling.tilesAtOnce(), out);
    float[] data = space.data.atLeast(PLACES * left.place);
    float[] values = space.values.atLeast(PLACES * right.place);
    for (long first = from; first < to; first += tiling.bandsAtOnce) {
      int bands = (int) Math.min(tiling.bandsAtOnce, to - first);
      transformData(tiling, x, first, bands, space, data, left);
      int tiles = bands * tiling.across;
      for (int p = 0; p < PLACES; p++) {
        int dataAt = p * left.place;
        for (int c = 0; c < out; c += PackedMatrix.panel(out - c)) {
          int width = PackedMatrix.panel(out - c);
          int column = channels.from + c;
          int at = p * right.place + c;
          filters.times(data, dataAt, tiles, in, p * size, column, width, values, at, out, space);
        }
      }
      transformValues(tiling, values, right, first, bands, channels, space, last, y);
    }
  }

  // ---- Bands of images

  /// Computes Bᵀ·d·B for the tiles of some bands.
  private static void transformData(
      Tiling tiling,
      FeatureMaps x,
      long first,
      int bands,
      Workspace space,
      float[] data,
      Layout layout) {
    int channels = x.channels();
    int row = (TILE * tiling.across + 2) * channels;
    float[] band = space.band.atLeast(POINTS * row);
    for (int b = 0; b < bands; b++) {
      read(x, tiling.image(first + b), tiling.top(first + b) - 1, POINTS, 1, band, row);
      TileTransforms.data(
          band, row, tiling.across, channels, data, b * tiling.across * layout.tile, layout);
    }
  }

  /// Computes A·dY·Aᵀ for the tiles of some bands.
  private static void transformGradients(
      Tiling tiling,
      FeatureMaps dy,
      long first,
      int bands,
      Workspace space,
      float[] values,
      Layout layout) {
    int channels = dy.channels();
    int row = TILE * tiling.across * channels;
    float[] band = space.band.atLeast(POINTS * row);
    for (int b = 0; b < bands; b++) {
      read(dy, tiling.image(first + b), tiling.top(first + b), TILE, 0, band, row);
      TileTransforms.valueBack(
          band, row, tiling.across, channels, values, b * tiling.across * layout.tile, layout);
    }
  }

  /// Computes Aᵀ·m·A for the tiles of some bands.
  private static void transformValues(
      Tiling tiling,
      float[] values,
      Layout layout,
      long first,
      int bands,
      Channels channels,
      Workspace space,
      @Nullable Last last,
      FeatureMaps y) {
    int count = channels.count();
    int row = TILE * tiling.across * count;
    float[] band = space.band.atLeast(POINTS * row);
    for (int b = 0; b < bands; b++) {
      int at = b * tiling.across * count;
      TileTransforms.value(values, at, layout.place, tiling.across, count, band, row);
      int top = tiling.top(first + b);
      int rows = Math.min(TILE, y.height() - top);
      int length = y.width() * y.channels();
      for (int i = 0; i < rows; i++) {
        long to = (tiling.image(first + b) * y.height() + top + i) * length;
        if (last == null) { // of all channels
          MemorySegment.copy(band, i * row, y.memory(), JAVA_FLOAT, 4 * to, length);
        } else {
          finish(band, i * row, y.width(), channels, last, y.memory(), to);
        }
      }
    }
  }

  /// Copies rows of an image from `top` on, with `left` pixels of zeros before them and zeros
  /// behind.
  private static void read(
      FeatureMaps x, long image, int top, int rows, int left, float[] band, int row) {
    int before = left * x.channels();
    int length = x.width() * x.channels();
    for (int i = 0; i < rows; i++) {
      int at = i * row;
      if (top + i < 0 || top + i >= x.height()) {
        Arrays.fill(band, at, at + row, 0);
      } else {
        long from = 4 * (image * x.height() + top + i) * length;
        Arrays.fill(band, at, at + before, 0);
        MemorySegment.copy(x.memory(), JAVA_FLOAT, from, band, at + before, length);
        Arrays.fill(band, at + before + length, at + row, 0);
      }
    }
  }

  /// Applies the steps of [Last] to some channels of a row of `width` outputs, whose first is
  /// element `to` of y.
  private static void finish(
      float[] row, int from, int width, Channels channels, Last last, MemorySegment y, long to) {
    float[] bias = last.bias;
    FloatVector least = FloatVector.broadcast(S, last.floor);
    int at = from;
    for (int i = 0; i < width; i++) {
      for (int c = channels.from; c < channels.to; c += L) {
        long out = (to + (long) i * bias.length + c) << 2;
        FloatVector v = load(row, at).add(load(bias, c));
        if (last.add) {
          v = v.add(FloatVector.fromMemorySegment(S, y, out, ByteOrder.nativeOrder()));
        }
        v.max(least).intoMemorySegment(y, out, ByteOrder.nativeOrder());
        at += L;
      }
    }
  }

  /// Computes G·g·Gᵀ of `size` filters.
  private static void transformFilters(float[] taps, int size, Workspace space, float[] filters) {
    for (int from = 0; from < size; from += FILTERS) {
      TileTransforms.filter(taps, from, size, Math.min(FILTERS, size - from), space.half, filters);
    }
  }

  /// Computes Gᵀ·s·G of `size` sums.
  private static float[] filtersBack(Workspace space, float[] sums, int size) {
    float[] taps = space.taps.atLeast(9 * size);
    for (int from = 0; from < size; from += FILTERS) {
      TileTransforms.filterBack(sums, from, size, Math.min(FILTERS, size - from), space.half, taps);
    }
    return taps;
  }

  /// The arrays of a thread, kept between steps; each is as long as the largest layer so far
  /// needed.
  private static final class Workspace {
    final float[] half = new float[3 * POINTS * FILTERS];
    private final Grown weight = new Grown();
    private final Grown taps = new Grown();
    private final Grown filters = new Grown();
    private final Grown panel = new Grown();
    private final Grown band = new Grown();
    private final Grown data = new Grown();
    private final Grown values = new Grown();

    /// Returns a copy of `w`.
    float[] weight(MemorySegment w) {
      int size = (int) (w.byteSize() / 4);
      float[] copy = weight.atLeast(size);
      MemorySegment.copy(w, JAVA_FLOAT, 0, copy, 0, size);
      return copy;
    }
  }
}
