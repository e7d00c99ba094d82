package fathom.task.mask;

/// Makes lines one pixel wide, as the benchmark of BSDS500 does before it matches them: the
/// parallel thinning of Guo and Hall with two subiterations (1989, algorithm A1), repeated until
/// nothing changes. Pixels that were connected by eight neighbours stay connected.
final class Thinned {
  /// The directions of the neighbours x1 to x8: east, then counter-clockwise.
  private static final int[] DX = {1, 1, 0, -1, -1, -1, 0, 1};

  private static final int[] DY = {0, -1, -1, -1, 0, 1, 1, 1};

  private Thinned() {}

  /// The thinned copy of `height`×`width` pixels in row-major order. Pixels outside count as not
  /// set.
  static boolean[] of(boolean[] lines, int height, int width) {
    boolean[] now = lines.clone();
    boolean changes = true;
    while (changes) {
      changes = false;
      for (boolean second : new boolean[] {false, true}) {
        boolean[] next = now.clone();
        for (int p = 0; p < now.length; p++) {
          if (now[p] && goes(neighbours(now, height, width, p), second)) {
            next[p] = false;
            changes = true;
          }
        }
        now = next;
      }
    }
    return now;
  }

  private static boolean[] neighbours(boolean[] of, int height, int width, int p) {
    boolean[] x = new boolean[8];
    for (int i = 0; i < 8; i++) {
      int row = p / width + DY[i];
      int column = p % width + DX[i];
      x[i] = row >= 0 && row < height && column >= 0 && column < width && of[row * width + column];
    }
    return x;
  }

  /// Whether a pixel is removed: it has one crossing and two or three neighbours in the sense of
  /// the paper, and lies on the side of this subiteration.
  private static boolean goes(boolean[] x, boolean second) {
    int crossings = 0;
    int n1 = 0;
    int n2 = 0;
    for (int k = 0; k < 8; k += 2) {
      boolean here = x[k];
      boolean corner = x[k + 1];
      boolean next = x[(k + 2) % 8];
      crossings += !here && (corner || next) ? 1 : 0;
      n1 += here || corner ? 1 : 0;
      n2 += corner || next ? 1 : 0;
    }
    int n = Math.min(n1, n2);
    boolean side = second ? (x[5] || x[6] || !x[3]) && x[4] : (x[1] || x[2] || !x[7]) && x[0];
    return crossings == 1 && n >= 2 && n <= 3 && !side;
  }
}
