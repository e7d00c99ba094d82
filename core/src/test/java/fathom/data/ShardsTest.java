package fathom.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.io.BadFileException;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ShardsTest {
  private static final ImageReadOptions SIZED = new ImageReadOptions(8, false);

  @TempDir private Path folder;

  private static byte[] png(int value) throws IOException {
    var image = new BufferedImage(8, 8, BufferedImage.TYPE_BYTE_GRAY);
    for (int i = 0; i < 64; i++) {
      image.getRaster().setSample(i % 8, i / 8, 0, (value * 31 + i) % 256);
    }
    var bytes = new ByteArrayOutputStream();
    ImageIO.write(image, "png", bytes);
    return bytes.toByteArray();
  }

  private Path images() throws IOException {
    Path images = folder.resolve("images");
    int value = 0;
    for (String part : List.of("train", "test")) {
      for (String name : List.of("Kätzchen", "dog", "__ox")) {
        Path of = Files.createDirectories(images.resolve(part).resolve(name));
        for (int i = 0; i < 30; i++) {
          Files.write(of.resolve("a.%s.png".formatted(i)), png(value++));
        }
        Files.write(of.resolve("a_1.png"), png(value++)); // the key of a.1.png
        Files.write(of.resolve("plain"), png(value++));
      }
    }
    return images;
  }

  private DataSet packed() throws IOException {
    DataSet data = DataSet.open("images:" + images(), SIZED);
    Path out = folder.resolve("packed");
    List<Shards.Part> parts = Shards.pack(data, out, Shards.LEAST);
    assertEquals(List.of("train", "test"), parts.stream().map(Shards.Part::part).toList());
    assertTrue(parts.getFirst().shards() > 1, parts.toString());
    return DataSet.open("shards:" + out, SIZED);
  }

  private static List<String> pixels(LabelledImages images) {
    Images all = images.images();
    return IntStream.range(0, all.count())
        .mapToObj(i ->
            all.labels()[i]
                + Arrays.toString(Arrays.copyOfRange(all.pixels(), i * 64, i * 64 + 64)))
        .sorted()
        .toList();
  }

  /// What is packed are the same images with the same labels.
  @Test
  void packedImagesAreThoseOfTheFolder() throws IOException {
    DataSet packed = packed();
    DataSet plain = DataSet.open("images:" + folder.resolve("images"), SIZED);
    assertEquals(plain.classes(), packed.classes());
    assertEquals(pixels(plain.train()), pixels(packed.train()));
    assertEquals(pixels(plain.test()), pixels(packed.test()));
    assertInstanceOf(Photos.class, packed.train());
    DataSet inMemory = DataSet.open("shards:" + folder.resolve("packed"));
    DataSet plainInMemory = DataSet.open("images:" + folder.resolve("images"));
    assertEquals(pixels(plainInMemory.train()), pixels(inMemory.train()));
  }

  @Test
  void packingAgainGivesTheSameBytes() throws IOException {
    packed();
    DataSet again = DataSet.open("images:" + folder.resolve("images"), SIZED);
    try (Stream<Path> files = Files.walk(folder.resolve("images"))) {
      for (Path file : files.toList()) {
        Files.setLastModifiedTime(file, FileTime.fromMillis(1));
      }
    }
    Shards.pack(again, folder.resolve("again"), Shards.LEAST);
    try (Stream<Path> files = Files.walk(folder.resolve("packed"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path other = folder.resolve("again").resolve(folder.resolve("packed").relativize(file));
        assertArrayEquals(Files.readAllBytes(file), Files.readAllBytes(other), file.toString());
      }
    }
    assertThrows(
        BadFileException.class, () -> Shards.pack(again, folder.resolve("again"), 1 << 20));
  }

  /// An epoch reads each shard in sequence, whatever the classes are.
  @Test
  void anEpochHasTheOrderOfTheShards() throws IOException {
    LabelledImages train = packed().train();
    var epochs = new Epochs(3, train.count(), 8);
    int[] order = train.order(epochs, 0);
    assertArrayEquals(
        IntStream.range(0, train.count()).toArray(), Arrays.stream(order).sorted().toArray());
    assertFalse(Arrays.equals(order, epochs.order(0)));
    LabelledImages plain = DataSet.open("images:" + folder.resolve("images"), SIZED).train();
    assertArrayEquals(epochs.order(0), plain.order(epochs, 0));
  }

  @Test
  void aMissingOrForeignShardIsMissed() throws IOException {
    packed();
    Path train = folder.resolve("packed").resolve("train");
    Path first = train.resolve("000000.tar");
    Path away = folder.resolve("away.tar");
    Files.move(first, away);
    assertTrue(refused("shards:" + folder.resolve("packed")).contains("shards were packed here"));
    Files.copy(folder.resolve("packed").resolve("test").resolve("000000.tar"), first);
    assertTrue(refused("shards:" + folder.resolve("packed")).contains("another packing or part"));
    Files.move(away, first, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    byte[] bytes = Files.readAllBytes(first);
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    int label = text.indexOf(".cls\0");
    int at = (label / 512 + 1) * 512;
    bytes[at] = (byte) (bytes[at] == '0' ? '1' : '0');
    Files.write(first, bytes);
    assertTrue(
        refused("shards:" + folder.resolve("packed")).contains("other names, sizes or labels"));
  }

  /// A list of the shards is as good as their folder, in any order and from another place.
  @Test
  void aListOfShardsIsAsTheirFolder() throws IOException {
    DataSet packed = packed();
    Path out = folder.resolve("packed");
    List<String> names;
    try (Stream<Path> files = Files.walk(out)) {
      names = files.filter(Files::isRegularFile).map(Path::toString).sorted().toList();
    }
    Path list = folder.resolve("list.txt");
    Files.write(list, Stream.concat(names.reversed().stream(), Stream.of("", " ")).toList());
    DataSet listed = DataSet.open("shards:" + list, SIZED);
    assertEquals(packed.classes(), listed.classes());
    assertArrayEquals(packed.train().labels(), listed.train().labels());
    assertEquals(pixels(packed.train()), pixels(listed.train()));
    assertEquals(pixels(packed.test()), pixels(listed.test()));
    var epochs = new Epochs(3, packed.train().count(), 8);
    assertArrayEquals(packed.train().order(epochs, 1), listed.train().order(epochs, 1));
    Files.write(
        list, names.stream().map(name -> "packed/" + out.relativize(Path.of(name))).toList());
    assertEquals(pixels(packed.train()), pixels(DataSet.open("shards:" + list, SIZED).train()));

    String one = names.getLast();
    Path elsewhere = Files.copy(Path.of(one), folder.resolve("elsewhere.tar"));
    Files.write(list, List.of(one, one));
    assertTrue(refused("shards:" + list).contains("twice"));
    Files.write(list, List.of(one, elsewhere.toString()));
    assertTrue(refused("shards:" + list).contains("or none does"));
    Files.write(list, List.of("", one + ".gz"));
    assertTrue(refused("shards:" + list).contains("one line is"));
    Files.write(list, List.of(names.getFirst()));
    assertTrue(refused("shards:" + list).contains("none of train"));
    Files.write(list, List.of(" "));
    assertTrue(refused("shards:" + list).contains("names none"));
    Files.write(list, names.subList(0, names.size() - 1));
    assertTrue(refused("shards:" + list).contains("shards were packed here"));
    assertTrue(refused("shards:" + elsewhere).contains("as their folder"));
    assertTrue(refused("shards:" + folder.resolve("none.txt")).contains("no such folder or list"));
  }

  /// Shards with the same samples in another order are visited in another order, so they are other
  /// data to a run that goes on, and to the processes of a training.
  @Test
  void theOrderOfSamplesIsPartOfTheIdentity() throws IOException {
    Member[] samples = samples(20);
    Path tars = shard(tar(samples)).getParent();
    DataIdentity one = DataSet.open("shards:" + tars, SIZED).identity();
    shard(tar(samples));
    assertEquals(one, DataSet.open("shards:" + tars, SIZED).identity());
    Member[] other = samples.clone();
    System.arraycopy(
        samples, 0, other, 2, 2); // of another class, so each class has its order still
    System.arraycopy(samples, 2, other, 0, 2);
    shard(tar(other));
    assertFalse(one.differences(DataSet.open("shards:" + tars, SIZED).identity()).isEmpty());
  }

  @Test
  void aShardThatChangesIsNotReadOn() throws IOException {
    DataSet packed = packed();
    Path train = folder.resolve("packed").resolve("train");
    try (Stream<Path> files = Files.list(train)) {
      for (Path file : files.toList()) {
        Files.setLastModifiedTime(file, FileTime.fromMillis(1));
      }
    }
    String said =
        String.valueOf(
            assertThrows(BadFileException.class, () -> packed.train().images()).getMessage());
    assertTrue(said.contains("has changed since it was opened"), said);
  }

  private String refused(String spec) {
    return String.valueOf(
        assertThrows(BadFileException.class, () -> DataSet.open(spec, SIZED)).getMessage());
  }

  // ---- Tar files of other programs

  private record Member(String name, byte[] content) {
    static Member of(String name, String text) {
      return new Member(name, text.getBytes(StandardCharsets.UTF_8));
    }
  }

  private static byte[] tar(Member... members) throws IOException {
    var bytes = new ByteArrayOutputStream();
    try (var tar = new TarArchiveOutputStream(bytes, 512, "UTF-8")) {
      tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_GNU);
      for (Member each : members) {
        var entry = new TarArchiveEntry(each.name, true);
        entry.setSize(each.content.length);
        tar.putArchiveEntry(entry);
        tar.write(each.content);
        tar.closeArchiveEntry();
      }
    }
    return bytes.toByteArray();
  }

  private Path shard(byte[] content) throws IOException {
    Path of = Files.createDirectories(folder.resolve("tars"));
    return Files.write(of.resolve("a.tar"), content);
  }

  private static Member[] samples(int count) throws IOException {
    Member[] members = new Member[2 * count];
    for (int i = 0; i < count; i++) {
      members[2 * i] = new Member(String.format(Locale.ROOT, "s/%04d.PNG", i), png(i));
      members[2 * i + 1] = Member.of(String.format(Locale.ROOT, "s/%04d.cls", i), i % 2 + "\n");
    }
    return members;
  }

  @Test
  void tarFilesOfOtherProgramsAreRead() throws IOException {
    Member[] samples = samples(20);
    samples[1] = Member.of("s/0000.json", "{\"label\": 0, \"caption\": \"an ox\"}");
    samples[2] = new Member("s/0001.png", png(1));
    String deep = "n".repeat(120) + "/x";
    samples[4] = new Member(deep + ".seg.png", png(2));
    samples[5] = Member.of(deep + ".txt", "ignored");
    Member[] more = Arrays.copyOf(samples, samples.length + 2);
    more[samples.length] = new Member(deep + "2.png", png(2));
    more[samples.length + 1] = Member.of(deep + "2.cls", "1");
    more[4] = Member.of("readme", "of no sample");
    more[5] = Member.of("__meta__/x.png", "of no sample");
    Path file = shard(tar(more));
    ShardFile shard = ShardFile.of(file);
    assertEquals(20, shard.samples().size());
    assertEquals(0, shard.samples().getFirst().label());
    DataSet data = DataSet.open("shards:" + file.getParent(), SIZED);
    assertEquals(List.of("0", "1"), data.classes());
    assertEquals(20, data.train().count() + data.test().count());
    assertArrayEquals(png(1), shard.samples().get(1).image().source().stream().readAllBytes());
  }

  @Test
  void hostileTarFilesAreRefusedWithTheirOffset() throws IOException {
    Member image = new Member("a.png", png(0));
    Member label = Member.of("a.cls", "0");
    refusedAs("has none", tar(image));
    refusedAs("one image, but 'a' has none", tar(label));
    refusedAs("one image, but 'a' has 2", tar(image, new Member("a.jpg", png(0)), label));
    refusedAs("two members 'a.png'", tar(image, image, label));
    refusedAs("with the extension 'png'", tar(image, new Member("a.PNG", png(0)), label));
    refusedAs(
        "follow one another",
        tar(
            image,
            label,
            new Member("b.png", png(0)),
            Member.of("b.cls", "0"),
            Member.of("a.txt", "")));
    refusedAs("leads out", tar(new Member("../a.png", png(0)), Member.of("../a.cls", "0")));
    refusedAs("leads out", tar(new Member("b/../../a.png", png(0)), label));
    for (String wrong : List.of("", "-1", "1.5", "cat", "99999999999", "0 1", "{}", "null")) {
      refusedAs("a label is a whole number", tar(image, Member.of("a.cls", wrong)));
    }
    refusedAs("named label", tar(image, Member.of("a.json", "{\"class\":1}")));
    refusedAs("no sample in it", tar(Member.of("readme", "x")));
    byte[] whole = tar(samples(3));
    for (int length = 0; length < whole.length - 1024; length += 100) {
      refusedAs("", Arrays.copyOf(whole, length));
    }
    byte[] large = whole.clone();
    System.arraycopy("77777777777".getBytes(StandardCharsets.US_ASCII), 0, large, 124, 11);
    refusedAs("", large);
    byte[] link = whole.clone();
    link[156] = TarConstants.LF_SYMLINK;
    refusedAs("", link);
  }

  private void refusedAs(String why, byte[] content) throws IOException {
    Path file = shard(content);
    String said =
        String.valueOf(
            assertThrows(BadFileException.class, () -> ShardFile.of(file), why).getMessage());
    assertTrue(said.contains(why), said);
    assertTrue(said.contains("a.tar: at byte "), said);
  }

  @Test
  void aClassWithoutImagesIsRefused() throws IOException {
    Member[] samples = samples(6);
    for (int i = 1; i < samples.length; i += 2) {
      samples[i] = Member.of(samples[i].name, i % 4 == 1 ? "0" : "2");
    }
    shard(tar(samples));
    assertTrue(refused("shards:" + folder.resolve("tars")).contains("1 has none"));
    Files.delete(folder.resolve("tars").resolve("a.tar"));
    assertTrue(refused("shards:" + folder.resolve("tars")).contains("there are none"));
  }
}
