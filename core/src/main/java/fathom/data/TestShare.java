package fathom.data;

import fathom.RandomKey;
import fathom.data.FolderScan.Entry;
import fathom.data.ImageReadOptions.Split;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Which images of a class are for testing where no folder says so: about a fifth. It is drawn by a
/// key of its own and not by the seed of a run: nothing may ever be tested with what another run
/// trained on.
///
/// By name, each image has a number from 0 to 1 that depends on nothing but its class and name, and
/// the k smallest numbers of a class are for testing. Of n images, k is how many of the numbers are
/// below 1/5, but at least n/10 and at most 3n/10, both rounded down, and from 3 images on at least
/// 1; with fewer than 3 it is 0. With one image more, k stays or grows by one: so one that is added
/// or removed moves no other, or a single one where k is at a bound, which is a matter of small
/// classes.
final class TestShare {
  private static final double SHARE = 0.2;
  private static final int LEAST = 3;

  private TestShare() {}

  /// Those of `scan`.
  ///
  /// @param position of the class among all of them, in the order of their names on disk
  /// @param name of the class
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

  /// As runs up to format 6 have it, which counted every file that was not hidden.
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
