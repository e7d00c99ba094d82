package fathom.task.mask;

import java.util.ArrayDeque;
import java.util.Arrays;

/// A matching of the pixels of two sets, one to one and at most a distance apart, with as many
/// pairs as possible, by the algorithm of Hopcroft and Karp (1973).
///
/// The benchmark of BSDS500 looks among such matchings for the one with the smallest sum of
/// distances and finds it approximately. The number of matched pixels is the same. Which pixels are
/// matched may differ where there is a choice.
final class PixelMatching {
  private static final int NONE = -1;

  /// The pixel with which each pixel of the first set is matched, or −1; likewise for the second
  /// set.
  private final int[] first;

  private final int[] second;
  private final int[] level;
  private final int[][] near;

  private PixelMatching(int[][] near) {
    this.near = near;
    this.first = new int[near.length];
    this.second = new int[near.length];
    this.level = new int[near.length];
    Arrays.fill(first, NONE);
    Arrays.fill(second, NONE);
  }

  /// Matches pixels of `height`×`width` images in row-major order, with a distance in pixels.
  static PixelMatching of(boolean[] a, boolean[] b, int height, int width, double distance) {
    var matching = new PixelMatching(near(a, b, height, width, distance));
    while (matching.layers()) {
      for (int p = 0; p < a.length; p++) {
        if (a[p] && matching.first[p] == NONE) {
          matching.augment(p);
        }
      }
    }
    return matching;
  }

  boolean isMatchedInFirst(int pixel) {
    return first[pixel] != NONE;
  }

  boolean isMatchedInSecond(int pixel) {
    return second[pixel] != NONE;
  }

  /// For each pixel of `a`, the pixels of `b` that are near enough.
  private static int[][] near(boolean[] a, boolean[] b, int height, int width, double distance) {
    int r = (int) Math.floor(distance);
    int[][] near = new int[a.length][];
    int[] found = new int[(2 * r + 1) * (2 * r + 1)];
    for (int p = 0; p < a.length; p++) {
      int count = 0;
      int row = p / width;
      int column = p % width;
      for (int y = Math.max(0, row - r); a[p] && y <= Math.min(height - 1, row + r); y++) {
        for (int x = Math.max(0, column - r); x <= Math.min(width - 1, column + r); x++) {
          int dy = y - row;
          int dx = x - column;
          if (b[y * width + x] && dy * dy + dx * dx <= distance * distance) {
            found[count++] = y * width + x;
          }
        }
      }
      near[p] = Arrays.copyOf(found, count);
    }
    return near;
  }

  /// Gives each pixel of the first set a level: the length of the shortest alternating path to it
  /// from a free pixel of the first set. Returns whether some path ends at a free pixel of the
  /// second set.
  private boolean layers() {
    var queue = new ArrayDeque<Integer>();
    for (int p = 0; p < near.length; p++) {
      boolean free = near[p].length > 0 && first[p] == NONE;
      level[p] = free ? 0 : Integer.MAX_VALUE;
      if (free) {
        queue.add(p);
      }
    }
    boolean ends = false;
    while (!queue.isEmpty()) {
      int p = queue.remove();
      for (int q : near[p]) {
        int back = second[q];
        if (back == NONE) {
          ends = true;
        } else if (level[back] == Integer.MAX_VALUE) {
          level[back] = level[p] + 1;
          queue.add(back);
        }
      }
    }
    return ends;
  }

  /// Follows the levels from a free pixel to a free pixel of the second set and swaps the pairs on
  /// this path. It uses no recursion, because a path may be as long as an outline.
  private void augment(int start) {
    var path = new ArrayDeque<Integer>();
    var tried = new ArrayDeque<Integer>();
    path.push(start);
    tried.push(0);
    while (!path.isEmpty()) {
      int p = path.peek();
      int at = tried.pop();
      if (at == near[p].length) {
        level[p] = Integer.MAX_VALUE; // no path leads from here
        path.pop();
        continue;
      }
      tried.push(at + 1);
      int back = second[near[p][at]];
      if (back == NONE) {
        swap(path, tried);
        return;
      }
      if (level[back] == level[p] + 1) {
        path.push(back);
        tried.push(0);
      }
    }
  }

  /// Matches each pixel of the path with the pixel that it tried last.
  private void swap(ArrayDeque<Integer> path, ArrayDeque<Integer> tried) {
    while (!path.isEmpty()) {
      int p = path.pop();
      int q = near[p][tried.pop() - 1];
      first[p] = q;
      second[q] = p;
    }
  }
}
