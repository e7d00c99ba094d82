package fathom.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.RandomKey;
import fathom.data.FolderScan.Entry;
import fathom.data.ImageReadOptions.Split;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TestShareTest {
  private static FolderScan scan(Iterable<String> names) {
    var files = new ArrayList<Entry>();
    names.forEach(name -> files.add(new Entry(Path.of("folder", name), 1, 1)));
    return new FolderScan(files, List.of(), List.of(), List.of());
  }

  private static Set<String> tested(String label, Set<String> names) {
    var tested = new TreeSet<String>();
    TestShare.of(Split.BY_NAME, 0, label, scan(names))
        .forEach(file -> tested.add(FolderScan.name(file.path())));
    return tested;
  }

  private static Set<String> names(int count) {
    return new TreeSet<>(
        IntStream.range(0, count)
            .mapToObj(i -> String.format(Locale.ROOT, "%05d.jpg", i))
            .toList());
  }

  /// Files come and go, and at most one other image changes its part; in a large class none does.
  @ParameterizedTest
  @ValueSource(ints = {3, 5, 10, 30, 1000})
  void oneFileMoreOrLessMovesAtMostOneOther(int count) {
    Set<String> names = names(count);
    Set<String> before = tested("a", names);
    int moved = 0;
    for (int i = 0; i < 200; i++) {
      RandomKey key = RandomKey.of(i, "change" + count);
      boolean adds = names.size() < 3 || key.bits(0) < 0;
      String name =
          adds
              ? "%s-%s.png".formatted(key.below(1, 99), i)
              : List.copyOf(names).get(key.below(2, names.size()));
      if (adds) {
        names.add(name);
      } else {
        names.remove(name);
      }
      Set<String> now = tested("a", names);
      Set<String> was = before;
      var different = new HashSet<>(was);
      different.addAll(now);
      different.removeIf(each -> each.equals(name) || (was.contains(each) && now.contains(each)));
      assertTrue(different.size() <= 1, name + " moved " + different);
      moved += different.size();
      before = now;
    }
    assertTrue(count < 1000 || moved == 0, moved + " moved");
  }

  @ParameterizedTest
  @CsvSource({
    "1, 0, 0",
    "2, 0, 0",
    "3, 1, 1",
    "4, 1, 1",
    "5, 1, 1",
    "6, 1, 1",
    "7, 1, 2",
    "10, 1, 3",
    "40, 4, 12",
    "1000, 160, 240"
  })
  void aClassHasAboutAFifth(int count, int least, int most) {
    double sum = 0;
    for (int label = 0; label < 100; label++) {
      int tested = tested("class " + label, names(count)).size();
      assertTrue(tested >= least && tested <= most, tested + " of " + count);
      sum += tested;
    }
    if (count >= 10) {
      assertEquals(0.2, sum / 100 / count, 0.015);
    }
  }

  /// Computed by another program from the definition: it decides what is tested, for good.
  @Test
  void whatIsDrawnStaysDrawn() {
    var places = new TreeSet<Integer>();
    tested("a", names(40)).forEach(name -> places.add(Integer.parseInt(name, 0, 5, 10)));
    assertEquals(Set.of(14, 20, 24, 25, 26, 31, 33, 34), places);
  }

  @Test
  void theNameDecidesInOneUnicodeForm() {
    var composed = new TreeSet<String>();
    var apart = new TreeSet<String>();
    for (int i = 0; i < 50; i++) {
      composed.add("\u00e9" + i + ".png");
      apart.add("e\u0301" + i + ".png");
    }
    assertEquals(
        tested("th\u00e9", composed).stream().map(FolderScan::form).toList(),
        tested("the\u0301", apart).stream().map(FolderScan::form).toList());
    assertTrue(!tested("a", composed).equals(tested("b", composed)), "classes are drawn apart");
  }

  /// Two of ten by the permutation of class 3, which counted captions as well.
  @Test
  void runsOfOldFormatsKeepWhatTheyTested() {
    var files = new ArrayList<Entry>();
    var others = new ArrayList<Entry>();
    for (int i = 0; i < 5; i++) {
      files.add(new Entry(Path.of(i + ".png"), 1, 1));
      others.add(new Entry(Path.of(i + ".txt"), 1, 1));
    }
    int[] rank = RandomKey.of(0, "split").at(3).permutation(10);
    var expected = new TreeSet<String>();
    for (int i = 0; i < 10; i++) {
      if (rank[i] < 2) {
        expected.add(i / 2 + (i % 2 == 0 ? ".png" : ".txt"));
      }
    }
    var tested = new TreeSet<String>();
    TestShare.of(Split.BY_POSITION, 3, "x", new FolderScan(files, List.of(), others, List.of()))
        .forEach(file -> tested.add(file.path().toString()));
    assertEquals(expected, tested);
  }
}
