package fathom.data;

import fathom.RandomKey;
import fathom.data.FolderScan.Entry;
import fathom.data.ImageReadOptions.Split;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Chooses which images of a class are for testing where no folder says so: about a fifth. They are
/// drawn with a random key of their own and not with the seed of a run, because no run may be
/// tested with images that another run trained on.
///
/// By name, each image has a number from 0 to 1 that depends only on its class and name, and the k
/// smallest numbers of a class are for testing. For n images, k is the number of these numbers
/// below 1/5, but at least n/10 and at most 3n/10, both rounded down, and at least 1 from 3 images
/// on; with fewer than 3 images it is 0. With one more image, k stays or grows by one. So adding or
/// removing an image moves no other, or a single one if k is at a bound, which happens only in
/// small classes.
final class TestShare {
  private static final double SHARE = 0.2;
  private static final int LEAST = 3;

  private TestShare() {}

  /// Returns the files of `scan` that are for testing.
  ///
  /// @param position the position of the class among all classes, in the order of their names on
  ///   disk
  /// @param name the name of the class
  static Set<Entry> of(Split split, int position, String name, FolderScan scan) {
    return switch (split) {
      case BY_POSITION -> byPosition(position, scan);
      case BY_NAME, ALL_BY_NAME -> byName(FolderScan.form(name), scan.files());
    };
  }

  private record Drawn(Entry file, double number) {}

  private static Set<Entry> byName(String name, List<Entry> files) {
    List<Drawn> drawn =
        files.stream()
            .map(file ->
                new Drawn(
                    file, RandomKey.of(0, "test share " + name + "/" + file.name()).uniform(0)))
            .sorted(Comparator.comparingDouble(Drawn::number))
            .toList();
    int below = (int) drawn.stream().filter(each -> each.number < SHARE).count();
    var chosen = new HashSet<Entry>();
    drawn.stream().limit(count(files.size(), below)).forEach(each -> chosen.add(each.file));
    return chosen;
  }

  private static int count(int of, int below) {
    return of < LEAST
        ? 0
        : Math.clamp(below, Math.max(1, of / 10), Math.max(1, (int) (3L * of / 10)));
  }

  /// Draws as runs up to format 6 do, which counted every file that was not hidden.
  private static Set<Entry> byPosition(int position, FolderScan scan) {
    var files = new ArrayList<>(scan.files());
    files.addAll(scan.others());
    files.sort(Comparator.comparing(file -> FolderScan.name(file.path())));
    int[] rank = RandomKey.of(0, "split").at(position).permutation(files.size());
    long fifth = Math.round(files.size() / 5.0);
    var chosen = new HashSet<Entry>();
    for (int i = 0; i < rank.length; i++) {
      if (rank[i] < fifth) {
        chosen.add(files.get(i));
      }
    }
    return chosen;
  }
}
