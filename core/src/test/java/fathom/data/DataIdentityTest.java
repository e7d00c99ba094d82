package fathom.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The same data is known again wherever it lies, and any other is not.
class DataIdentityTest {
  @TempDir private Path dir;

  private void image(String file, int side) throws IOException {
    Path path = dir.resolve(file);
    Files.createDirectories(path.getParent());
    var image = new BufferedImage(side, side, BufferedImage.TYPE_BYTE_GRAY);
    ImageIO.write(image, "png", path.toFile());
  }

  private void folder(String name) throws IOException {
    for (String file : List.of("train/a/1.png", "train/b/1.png", "test/a/1.png", "test/b/1.png")) {
      image(name + "/" + file, 4);
    }
  }

  private DataIdentity identity(String name) {
    return DataSet.open("images:" + dir.resolve(name)).identity();
  }

  @Test
  void aFolderIsKnownAgainAtAnotherPlaceAndInEveryWayToReadIt() throws IOException {
    folder("one");
    folder("two");
    assertEquals(identity("one"), identity("two"));
    assertEquals(List.of(), identity("one").differences(identity("two")));
    assertEquals(
        identity("one"),
        DataSet.open("images:" + dir.resolve("one"), new ImageReadOptions(8, true)).identity());
    assertEquals(List.of("train", "test"), names(identity("one")));
  }

  private static List<String> names(DataIdentity identity) {
    return identity.parts().stream().map(DataIdentity.Part::name).toList();
  }

  @Test
  void whatDiffersIsNamedByItsPart() throws IOException {
    folder("one");
    for (String other : List.of("more", "renamed", "resized", "relabelled", "judged")) {
      folder(other);
    }
    image("more/train/a/2.png", 4);
    Files.move(dir.resolve("renamed/test/a/1.png"), dir.resolve("renamed/test/a/0.png"));
    Files.write(
        dir.resolve("resized/train/b/1.png"),
        new byte[] {0},
        java.nio.file.StandardOpenOption.APPEND);
    image("relabelled/train/a/1.png", 4);
    Files.move(dir.resolve("relabelled/test/b"), dir.resolve("relabelled/test/c"));
    Files.move(dir.resolve("relabelled/train/b"), dir.resolve("relabelled/train/c"));
    image("judged/val/a/1.png", 4);
    image("judged/val/b/1.png", 4);
    DataIdentity one = identity("one");
    assertEquals(List.of("train had 2 and has 3 now"), one.differences(identity("more")));
    assertEquals(
        List.of("test has 2 as before, but not the same"), one.differences(identity("renamed")));
    assertEquals(
        List.of("train has 2 as before, but not the same"), one.differences(identity("resized")));
    assertEquals(2, one.differences(identity("relabelled")).size());
    assertEquals(List.of("validation had 0 and has 2 now"), one.differences(identity("judged")));
    assertEquals(List.of("validation had 2 and has 0 now"), identity("judged").differences(one));
    assertEquals(List.of(), DataIdentity.UNKNOWN.differences(one), "nothing to compare");
  }

  @Test
  void imagesInMemoryAreKnownByTheirContent() {
    var train = new Images(1, 1, 2, new byte[] {1, 2, 3, 4}, new int[] {0, 1});
    var test = new Images(1, 1, 2, new byte[] {5, 6}, new int[] {1});
    var one = new DataSet("x", List.of("a", "b"), train, test);
    assertEquals(
        one.identity(), new DataSet("elsewhere", List.of("a", "b"), train, test).identity());
    var turned = new Images(1, 2, 1, train.pixels(), train.labels());
    var pixel = new Images(1, 1, 2, new byte[] {1, 2, 3, 5}, new int[] {0, 1});
    var label = new Images(1, 1, 2, train.pixels(), new int[] {1, 1});
    for (Images other : List.of(pixel, label)) {
      assertEquals(
          List.of("train has 2 as before, but not the same"),
          one.identity().differences(new DataSet("x", List.of("a", "b"), other, test).identity()));
    }
    var turnedTest = new Images(1, 2, 1, test.pixels(), test.labels());
    assertEquals(
        2,
        one.identity()
            .differences(new DataSet("x", List.of("a", "b"), turned, turnedTest).identity())
            .size());
    assertNull(one.place());
  }

  @Test
  void aTextIsKnownByItsCharacters() throws IOException {
    Path file = Files.writeString(dir.resolve("book.txt"), "to be or not to be, ".repeat(9000));
    Text book = Text.open("text:" + file);
    assertEquals(file.toAbsolutePath(), book.place());
    Path copy = Files.copy(file, dir.resolve("copy.txt"));
    assertEquals(book.identity(), Text.open("text:" + copy).identity());
    String changed = Files.readString(file).substring(1) + "t";
    Files.writeString(copy, changed);
    assertNotEquals(book.identity(), Text.open("text:" + copy, book.vocabulary()).identity());
    assertEquals(List.of("train", "validation"), names(book.identity()));
  }

  private static Set<String> validated(DataSet data, long seed) {
    return Objects.requireNonNull(data.originJudgedBy(9, seed)).validation().stream()
        .map(Origin.Source::name)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /// One image more or less moves no other, or one to keep to the count: whatever its position.
  @Test
  void imagesForValidationAreDrawnByTheirNames() throws IOException {
    for (String label : List.of("a", "b")) {
      for (int i = 0; i < 30; i++) {
        image("drawn/train/" + label + "/" + i + ".png", 4);
        image("drawn/test/" + label + "/" + i + ".png", 4);
      }
    }
    String spec = "images:" + dir.resolve("drawn");
    Set<String> before = validated(DataSet.open(spec), 7);
    assertEquals(9, before.size());
    assertNotEquals(before, validated(DataSet.open(spec), 8), "the seed draws");
    int moved = 0;
    for (int i = 0; i < 20; i++) {
      image("drawn/train/a/" + (char) ('!' + i % 3) + i + ".png", 4); // sorts before all others
      Set<String> now = validated(DataSet.open(spec), 7);
      var left = new TreeSet<>(before);
      left.removeAll(now);
      assertTrue(left.size() <= 1, "one more moved " + left);
      moved += left.size();
      before = now;
    }
    assertTrue(moved < 10, "20 of 60 images more moved " + moved + " of 9");
    String drawn = before.iterator().next();
    Files.delete(dir.resolve("drawn").resolve(drawn));
    Set<String> now = validated(DataSet.open(spec), 7);
    assertFalse(now.contains(drawn));
    assertTrue(now.containsAll(before.stream().filter(name -> !name.equals(drawn)).toList()));
    var older = DataSet.open(spec, new ImageReadOptions(0, false, ImageReadOptions.Split.BY_NAME));
    assertNotEquals(now, validated(older, 7), "by position, as it was");
    assertEquals(older.judgedBy(9, 7).origin(), older.originJudgedBy(9, 7));
  }

  /// However few images a class has and many are drawn, it is learned.
  @Test
  void everyClassKeepsAnImageToTrainWith() throws IOException {
    for (String label : List.of("a", "b", "c", "d")) {
      for (int i = 0; i < (label.equals("a") ? 9 : 1); i++) {
        image("few/train/" + label + "/" + i + ".png", 4);
      }
      image("few/test/" + label + "/0.png", 4);
    }
    DataSet data = DataSet.open("images:" + dir.resolve("few"));
    for (int seed = 0; seed < 20; seed++) {
      for (int count : new int[] {1, 5, 8}) {
        DataSet judged = data.judgedBy(count, seed);
        assertEquals(count, Objects.requireNonNull(judged.validation()).count());
        assertEquals(4, Arrays.stream(judged.train().labels()).distinct().count());
      }
    }
    var e = assertThrows(IllegalArgumentException.class, () -> data.judgedBy(9, 1));
    assertTrue(e.getMessage().contains("at most 8 can be kept for validation"), e.getMessage());
  }

  @Test
  void namesAreRelativeWithSlashesInOneUnicodeForm() throws IOException {
    String decomposed = Normalizer.normalize("\u00fcber", Normalizer.Form.NFD);
    for (String label : List.of("a", decomposed)) {
      for (int i = 0; i < 5; i++) {
        image("mixed/" + label + "/" + i + ".png", 4);
      }
    }
    DataSet data = DataSet.open("images:" + dir.resolve("mixed"));
    Origin origin = Objects.requireNonNull(data.origin());
    assertEquals(dir.resolve("mixed").toAbsolutePath(), data.place());
    assertEquals(8, origin.train().size());
    assertEquals(2, origin.test().size());
    assertEquals("\u00fcber/", origin.test().getLast().name().substring(0, 5));
    Origin judged = Objects.requireNonNull(data.originJudgedBy(3, 7));
    assertEquals(data.judgedBy(3, 7).origin(), judged);
    assertEquals(3, judged.validation().size());
    assertEquals(origin.test(), judged.test());
  }
}
