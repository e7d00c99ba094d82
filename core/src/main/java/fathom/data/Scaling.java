package fathom.data;

import fathom.data.Orientation.Box;
import java.awt.image.BufferedImage;
import java.util.Arrays;

/// Scales part of a decoded image to bytes, in grey or in sRGB.
///
/// The filter is usually a triangle that is two pixels of the result wide (or two of the source,
/// where the source is coarser), applied first along columns and then along rows; pixels outside of
/// the part do not count unless the target says so. At its own size an image is unchanged.
final class Scaling {
  private static final float[] NO_SUM = {};

  private Scaling() {}

  /// The size that a part is scaled to, as it is displayed, and how.
  ///
  /// @param whole whether pixels outside of the part count where the filter reaches them
  record Target(int channels, int height, int width, Filter filter, boolean whole) {
    Target(int channels, int height, int width) {
      this(channels, height, width, Filter.BILINEAR, false);
    }
  }

  /// Writes `part`, a rectangle in the image as it is displayed, as `C×H×W` bytes into `out` from
  /// `at` on.
  static void write(
      BufferedImage image, Orientation orientation, Box part, Target to, byte[] out, int at) {
    boolean turned = orientation.transposed();
    Box box =
        orientation.stored(
            part,
            turned ? image.getHeight() : image.getWidth(),
            turned ? image.getWidth() : image.getHeight());
    Taps along =
        Taps.of(image.getWidth(), box.left(), box.width(), turned ? to.height : to.width, to);
    Taps down =
        Taps.of(image.getHeight(), box.top(), box.height(), turned ? to.width : to.height, to);
    var colours = new Colours(image, to.channels, along.first(), along.end());
    var place = new Place(orientation, to, at);
    float[] line = new float[(along.end() - along.first()) * to.channels];
    float[][] sums = new float[down.from.length][];
    int open = 0; // the first row of the result that is not complete
    for (int y = down.first(); y < down.end(); y++) {
      colours.read(y, line);
      for (int row = open; row < sums.length && down.from[row] <= y; row++) {
        float[] weights = down.weights[row];
        int tap = y - down.from[row];
        if (tap >= weights.length) {
          continue;
        }
        float[] sum = tap == 0 ? new float[line.length] : sums[row];
        sums[row] = sum;
        add(line, weights[tap], sum);
        if (tap == weights.length - 1) {
          narrow(sum, along, place, row, out);
          sums[row] = NO_SUM;
          open += row == open ? 1 : 0;
        }
      }
    }
  }

  private static void add(float[] line, float weight, float[] sum) {
    for (int i = 0; i < sum.length; i++) {
      sum[i] += weight * line[i];
    }
  }

  /// Writes one row of the result.
  private static void narrow(float[] sums, Taps along, Place place, int row, byte[] out) {
    int channels = place.to.channels;
    for (int x = 0; x < along.from.length; x++) {
      float[] weights = along.weights[x];
      int start = (along.from[x] - along.first()) * channels;
      int at = place.of(x, row);
      for (int c = 0; c < channels; c++) {
        float sum = 0;
        for (int j = 0; j < weights.length; j++) {
          sum += weights[j] * sums[start + j * channels + c];
        }
        out[at + c * place.plane] = (byte) Math.clamp(Math.round(sum), 0, 255);
      }
    }
  }

  /// Maps the pixels of the result from the orientation in which the image is stored to the one in
  /// which it is displayed.
  private static final class Place {
    final Target to;
    final int plane;
    private final int start;
    private final int across;
    private final int down;

    Place(Orientation orientation, Target to, int at) {
      this.to = to;
      this.plane = to.height * to.width;
      int right = orientation.mirrored() ? -1 : 1;
      int below = orientation.upsideDown() ? -to.width : to.width;
      this.start =
          at
              + (orientation.mirrored() ? to.width - 1 : 0)
              + (orientation.upsideDown() ? plane - to.width : 0);
      this.across = orientation.transposed() ? below : right;
      this.down = orientation.transposed() ? right : below;
    }

    int of(int x, int y) {
      return start + x * across + y * down;
    }
  }

  /// The filter along one axis: for each result the first source pixel that counts, and the weights
  /// of the pixels from there on, whose sum is 1.
  private record Taps(int[] from, float[][] weights) {
    /// Makes the filter that scales `extent` of the `source` pixels, from `start` on, to `results`
    /// pixels.
    static Taps of(int source, double start, double extent, int results, Target how) {
      int least = how.whole ? 0 : Math.clamp((long) Math.floor(start), 0, source - 1);
      int most =
          how.whole
              ? source - 1
              : Math.clamp((long) Math.ceil(start + extent) - 1, least, source - 1);
      double scale = extent / results;
      double stretch = Math.max(1, scale);
      double reach = how.filter.support() * stretch;
      int[] from = new int[results];
      float[][] weights = new float[results][];
      for (int i = 0; i < results; i++) {
        double centre = start + (i + 0.5) * scale;
        int first = Math.clamp((long) Math.floor(centre - reach), least, most);
        int last = Math.clamp((long) Math.floor(centre + reach), first, most);
        double[] w = new double[last - first + 1];
        Arrays.setAll(w, j -> how.filter.weight((first + j + 0.5 - centre) / stretch));
        double sum = Arrays.stream(w).sum();
        from[i] = first;
        weights[i] = new float[w.length];
        for (int j = 0; j < w.length; j++) {
          weights[i][j] = (float) (w[j] / sum);
        }
      }
      return new Taps(from, weights);
    }

    int first() {
      return from[0];
    }

    int end() {
      int last = from.length - 1;
      return from[last] + weights[last].length;
    }
  }
}
