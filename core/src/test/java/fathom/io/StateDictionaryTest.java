package fathom.io;

import static fathom.io.TorchFixture.dictionary;
import static fathom.io.TorchFixture.global;
import static fathom.io.TorchFixture.hex;
import static fathom.io.TorchFixture.joined;
import static fathom.io.TorchFixture.legacy;
import static fathom.io.TorchFixture.pickle;
import static fathom.io.TorchFixture.storage;
import static fathom.io.TorchFixture.tensor;
import static fathom.io.TorchFixture.text;
import static fathom.io.TorchFixture.tuple;
import static fathom.io.TorchFixture.zip;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.Shape;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Files of `torch.save`, by hand and of [TorchFile].
class StateDictionaryTest {
  /// 0.0 to 5.0 as float32.
  private static final byte[] SIX = hex("00000000 0000803f 00000040 00004040 00008040 0000a040");

  @TempDir private Path folder;

  private Path file(byte[] content) {
    return Fixture.write(folder.resolve("net.pt"), content);
  }

  private static float[] floats(TensorFile file, String name) {
    try (Arena arena = Arena.ofConfined()) {
      StoredTensor tensor = file.widened(name, arena);
      assertEquals(DType.FLOAT32, tensor.type());
      return tensor.bytes().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
    }
  }

  private String refused(byte[] content) {
    Path file = file(content);
    var e = assertThrows(BadFileException.class, () -> TensorFile.open(file).close());
    String says = String.valueOf(e.getMessage());
    assertTrue(says.startsWith(file + ": "), says);
    return says;
  }

  /// Bit for bit, of every type that is written, in the order of the file.
  @Test
  void whatIsWrittenIsRead() {
    Path file = folder.resolve("own.pt");
    TorchFile.write(file, Fixture.tensors());
    try (TensorFile read = TensorFile.open(file);
        Arena arena = Arena.ofConfined()) {
      assertEquals(List.copyOf(Fixture.tensors().keySet()), List.copyOf(read.names()));
      Fixture.tensors()
          .forEach((name, tensor) ->
              assertEquals(Fixture.content(tensor), Fixture.content(read.widened(name, arena))));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void bothFormsAreRead(boolean zip) {
    byte[] value =
        pickle(
            dictionary(
                text("a.weight"),
                tensor(
                    storage("FloatStorage", "7", 6, hex(zip ? "" : "4e")), 0, ints(2, 3), 3, 1)));
    Path file = file(zip ? zip(value, "7", SIX) : legacy(value, "7", 6, SIX));
    try (TensorFile read = TensorFile.open(file)) {
      assertEquals(zip ? "PyTorch, zip form" : "PyTorch, legacy form", read.format());
      assertEquals(Shape.of(2, 3), read.shape("a.weight"));
      assertEquals("F32", read.type("a.weight"));
      assertArrayEquals(new float[] {0, 1, 2, 3, 4, 5}, floats(read, "a.weight"));
      assertThrows(BadFileException.class, () -> read.shape("b"));
    }
  }

  private static int[] ints(int... values) {
    return values;
  }

  /// One storage of 0 to 5: whole, transposed, a column from an offset, one number repeated.
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void stridesAndSharedStoragesAreHonoured(boolean zip) {
    byte[] six = storage("FloatStorage", "s", 6);
    byte[] value =
        pickle(
            dictionary(
                text("whole"), tensor(six, 0, ints(2, 3), 3, 1),
                text("transposed"), tensor(six, 0, ints(3, 2), 1, 3),
                text("column"), tensor(six, 2, ints(2), 3),
                text("repeated"), tensor(six, 4, ints(2, 2), 0, 0),
                text("one"), tensor(six, 5, ints(1, 1), 99, 77),
                text("scalar"), tensor(six, 3, ints()),
                text("none"), tensor(six, 6, ints(0, 3), 3, 1)));
    try (TensorFile read =
        TensorFile.open(file(zip ? zip(value, "s", SIX) : legacy(value, "s", 6, SIX)))) {
      assertArrayEquals(new float[] {0, 1, 2, 3, 4, 5}, floats(read, "whole"));
      assertArrayEquals(new float[] {0, 3, 1, 4, 2, 5}, floats(read, "transposed"));
      assertArrayEquals(new float[] {2, 5}, floats(read, "column"));
      assertArrayEquals(new float[] {4, 4, 4, 4}, floats(read, "repeated"));
      assertArrayEquals(new float[] {5}, floats(read, "one"));
      assertArrayEquals(new float[] {3}, floats(read, "scalar"));
      assertArrayEquals(new float[0], floats(read, "none"));
    }
  }

  /// The legacy form may cut a storage out of another: two elements from the third on.
  @Test
  void aViewOfAStorageIsAPartOfIt() {
    byte[] view = joined(hex("28"), text("v"), hex("4b024b0274"));
    byte[] value =
        pickle(
            dictionary(text("part"), tensor(storage("FloatStorage", "s", 6, view), 0, ints(2), 1)));
    try (TensorFile read = TensorFile.open(file(legacy(value, "s", 6, SIX)))) {
      assertArrayEquals(new float[] {2, 3}, floats(read, "part"));
    }
    byte[] beyond =
        pickle(
            dictionary(text("part"), tensor(storage("FloatStorage", "s", 6, view), 1, ints(2), 1)));
    assertTrue(refused(legacy(beyond, "s", 6, SIX)).contains("tensor 'part': its 2 of F32"));
  }

  /// Two elements each. Halves: 1.5 and the least subnormal, 2^-24; bfloat16: 1.5 and -2.
  @ParameterizedTest
  @CsvSource({
    "HalfStorage, 003e0100, FLOAT32, 0000c03f 00008033",
    "BFloat16Storage, c03f00c0, FLOAT32, 0000c03f 000000c0",
    "DoubleStorage, 9a9999999999b93f000000000000f0ff, FLOAT64, 9a9999999999b93f 000000000000f0ff",
    "LongStorage, ffffffffffffffff0000000001000000, INT64, ffffffffffffffff 0000000001000000",
    "IntStorage, ffffffff00000080, INT64, ffffffffffffffff 00000080ffffffff",
    "ShortStorage, ffff0080, INT64, ffffffffffffffff 0080ffffffffffff",
    "CharStorage, ff7f, INT64, ffffffffffffffff 7f00000000000000",
    "ByteStorage, ff7f, INT64, ff00000000000000 7f00000000000000",
    "BoolStorage, 0100, INT64, 0100000000000000 0000000000000000",
  })
  void everyTypeKeepsItsValues(String storage, String bytes, DType type, String wide) {
    byte[] value = pickle(dictionary(text("w"), tensor(storage(storage, "0", 2), 0, ints(2), 1)));
    try (TensorFile read = TensorFile.open(file(zip(value, "0", hex(bytes))));
        Arena arena = Arena.ofConfined()) {
      StoredTensor tensor = read.widened("w", arena);
      assertEquals(type, tensor.type());
      assertEquals(
          wide.replace(" ", ""),
          HexFormat.of().formatHex(tensor.bytes().toArray(ValueLayout.JAVA_BYTE)));
    }
  }

  private static byte[] one(String name) {
    return joined(text(name), tensor(storage("FloatStorage", "0", 1), 0, ints(1), 1));
  }

  /// Where the tensors are, and which are taken: averaged ones first, those of an optimizer never.
  @Test
  void theStateDictionaryIsFound() {
    byte[] state = dictionary(one("w"));
    Map<String, byte[]> places =
        Map.of(
            "w", dictionary(one("module._orig_mod.w")),
            "w ", dictionary(one("_orig_mod.w")),
            "a.w", dictionary(one("a._orig_mod.w")),
            "w  ", dictionary(text("state_dict"), state, one("best")),
            "w   ", dictionary(text("model"), dictionary(text("state_dict"), state)),
            "ema",
                dictionary(
                    text("state_dict"), state, text("state_dict_ema"), dictionary(one("ema"))),
            "w    ", dictionary(text("optimizer"), dictionary(one("m")), text("unusual"), state));
    places.forEach((expected, value) -> {
      try (TensorFile read = TensorFile.open(file(zip(pickle(value), "0", hex("0000803f"))))) {
        assertEquals(List.of(expected.strip()), List.copyOf(read.names()));
      }
    });
    assertTrue(
        refused(zip(pickle(dictionary(text("a"), state, text("b"), state)), "0", hex("0000803f")))
            .contains("tensors in 'a', 'b'"));
    assertTrue(
        refused(zip(pickle(dictionary(one("w"), one("module.w"))), "0", hex("0000803f")))
            .contains("two tensors have the name 'w'"));
  }

  @Test
  void textsAndNumbersBesideAreKept() {
    byte[] value =
        pickle(
            dictionary(
                text("epoch"), hex("4b07"),
                text("accuracy"), hex("473fe8000000000000"),
                text("arch"), text("resnet20"),
                text("done"), hex("88"),
                text("nothing"), hex("4e"),
                text("model_state"), dictionary(one("w"))));
    try (TensorFile read = TensorFile.open(file(zip(value, "0", hex("0000803f"))))) {
      assertEquals(
          Map.of("epoch", "7", "accuracy", "0.75", "arch", "resnet20", "done", "true"),
          read.metadata());
    }
  }

  /// `os.system("...")` beside a state dictionary: neither looked up nor called, and passed over.
  @Test
  void whatWouldRunIsNotRun() {
    Path sign = folder.resolve("run");
    byte[] call = joined(global("os", "system"), hex("28"), text("touch " + sign), hex("7452"));
    byte[] value = pickle(dictionary(one("w"), text("args"), call));
    try (TensorFile read = TensorFile.open(file(zip(value, "0", hex("0000803f"))))) {
      assertArrayEquals(new float[] {1}, floats(read, "w"));
    }
    assertFalse(Files.exists(sign));
  }

  /// Each is refused with a message that says why; `T` stands for a storage of one float.
  @Test
  void hostilePicklesAreRefused() {
    byte[] call = joined(global("builtins", "eval"), hex("28"), text("1"), hex("7452"));
    byte[] t = storage("FloatStorage", "0", 1);
    byte[] plain = joined(global("torch._utils", "_rebuild_tensor_v2"), hex("28"), t);
    Map<byte[], String> cases =
        Map.ofEntries(
            Map.entry(call, "a value of 'builtins.eval', not a dictionary"),
            Map.entry(dictionary(text("w"), call), "no tensors in it, but 'w': a value of"),
            Map.entry(
                dictionary(
                    text("w"),
                    joined(
                        global("torch._utils", "_rebuild_tensor_v2"),
                        hex("28"),
                        call,
                        hex("4b00"),
                        tuple(1),
                        tuple(1),
                        hex("7452"))),
                "argument 0 of 'torch._utils._rebuild_tensor_v2' is a value of 'builtins.eval'"),
            Map.entry(
                dictionary(text("w"), joined(plain, hex("4b00"), call, tuple(1), hex("7452"))),
                "argument 2 of"),
            Map.entry(
                dictionary(
                    text("w"),
                    joined(
                        global("evil", "wrap"), hex("28"), tensor(t, 0, ints(1), 1), hex("7452"))),
                "tensor 'w' is made by 'evil.wrap', which is not called"),
            Map.entry(
                dictionary(text("w"), joined(plain, hex("4b00"), tuple(9), tuple(1), hex("7452"))),
                "its 9 of F32 take 36 bytes from byte 0 on, but storage '0' has 4"),
            Map.entry(
                dictionary(text("w"), joined(plain, hex("4b02"), tuple(1), tuple(1), hex("7452"))),
                "from byte 8 on"),
            Map.entry(
                dictionary(
                    text("w"), joined(plain, hex("4affffffff"), tuple(1), tuple(1), hex("7452"))),
                "from byte -4 on"),
            Map.entry(
                dictionary(
                    text("w"),
                    joined(
                        plain,
                        hex("4b00"),
                        hex("284affffff7f4affffff7f74"),
                        hex("284b004b0074"),
                        hex("7452"))),
                "repeat what is in the file"),
            Map.entry(
                dictionary(
                    text("w"),
                    joined(plain, hex("4b00 4b0285 8a08ffffffffffffff7f85"), hex("7452"))),
                "beyond what can be counted"),
            Map.entry(
                dictionary(text("w"), joined(plain, hex("4b00"), tuple(1), tuple(), hex("7452"))),
                "has 0 of 1"),
            Map.entry(hex("7d 28 4b01 75"), "keys and values, but here are 1"),
            Map.entry(hex("74"), "since a mark, but there is none"),
            Map.entry(hex("68 05"), "recalls value 5"),
            Map.entry(hex("30"), "takes a value, but there is none"),
            Map.entry(hex("69 61 0a 62 0a"), "opcode 0x69"),
            Map.entry(hex("82 01"), "opcode 0x82"),
            Map.entry(hex("50 61 0a"), "opcode 0x50"),
            Map.entry(hex("58 ffffff7f"), "a text has at most"),
            Map.entry(hex("58 ff000000"), "only"),
            Map.entry(hex("80 06"), "protocol 6"));
    cases.forEach((value, says) -> {
      String refused = refused(zip(pickle(value), "0", hex("0000803f")));
      assertTrue(refused.contains(says), refused + "\nlacks " + says);
    });
  }

  /// A list inside of itself, as key, item and value: nothing walks through it.
  @Test
  void circlesAreNoTrouble() {
    byte[] circle = hex("5d 7105 6805 61 7d 7106 6806 6806 73");
    byte[] value = pickle(hex("7d 28"), text("c"), circle, one("w"), hex("75"));
    assertTrue(refused(zip(value, "0", hex("0000803f"))).contains("keys and values"));
    byte[] self = pickle(hex("7d 7106 28"), text("model"), hex("6806"), hex("75"));
    assertTrue(refused(zip(self)).contains("there are no tensors"));
    byte[] right = pickle(hex("7d 28"), text("c"), hex("5d 7105 6805 61"), one("w"), hex("75"));
    try (TensorFile read = TensorFile.open(file(zip(right, "0", hex("0000803f"))))) {
      assertEquals(List.of("w"), List.copyOf(read.names()));
    }
  }

  @Test
  void damagedArchivesAreRefused() {
    byte[] value = pickle(dictionary(one("w")));
    byte[] right = zip(value, "0", hex("0000803f"));
    byte[] flipped = right.clone();
    flipped[indexOf(right, hex("0000803f"))] ^= 1;
    assertTrue(refused(flipped).contains("the CRC-32 of entry 'any name/data/0'"));
    assertTrue(refused(Arrays.copyOf(right, right.length - 1)).contains("end record"));
    assertTrue(refused(zip(value)).contains("entry 'any name/data/0' is missing"));
    var big = Map.of("data.pkl", value, "byteorder", "big".getBytes(StandardCharsets.UTF_8));
    assertTrue(refused(zip("x", big, ZipEntry.STORED)).contains("'big'"));
    assertTrue(
        refused(zip("x", Map.of("data.pkl", value), ZipEntry.DEFLATED)).contains("compressed"));
    assertTrue(refused(zip("x", Map.of("a", value), ZipEntry.STORED)).contains("data.pkl"));
    assertTrue(
        refused(zip("x", Map.of("data.pkl", value, "constants.pkl", value), ZipEntry.STORED))
            .contains("TorchScript"));
  }

  @Test
  void damagedLegacyFilesAreRefused() {
    byte[] value = pickle(dictionary(one("w")));
    byte[] right = legacy(value, "0", 1, hex("0000803f"));
    assertTrue(refused(Arrays.copyOf(right, right.length - 1)).contains("cut off"));
    assertTrue(refused(joined(right, hex("00"))).contains("end at byte"));
    assertTrue(refused(legacy(value, "0", 2, hex("0000803f00000000"))).contains("has 2 elements"));
    assertTrue(refused(legacy(value)).contains("storage '0' is missing"));
    assertTrue(refused(legacy(value, "1", 1, hex("0000803f"))).contains("belongs to no tensor"));
    assertTrue(refused(joined(hex("80024b012e"), hex("00000000"))).contains("magic number"));
  }

  private static int indexOf(byte[] all, byte[] part) {
    return new String(all, StandardCharsets.ISO_8859_1)
        .indexOf(new String(part, StandardCharsets.ISO_8859_1));
  }

  /// A sparse archive: a storage of 5 GiB, of which two numbers are not zero, and its directory
  /// behind it, in the form of Zip64.
  @Test
  void archivesBeyondFourGibibytesAreReadByPosition() throws IOException {
    long elements = 5L << 28;
    byte[] large = joined(hex("8a08"), little(8).putLong(elements).array());
    byte[] value =
        pickle(
            dictionary(
                text("w"),
                joined(
                    global("torch._utils", "_rebuild_tensor_v2"),
                    hex("28 28"),
                    text("storage"),
                    global("torch", "FloatStorage"),
                    text("0"),
                    text("cpu"),
                    large,
                    hex("7451"),
                    joined(hex("8a08"), little(8).putLong(elements - 2).array()),
                    tuple(2),
                    tuple(1),
                    hex("89 4e 7452"))));
    Path file = folder.resolve("large.pt");
    try (var channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      long data = local(channel, 0, "x/data/0") + 4 * elements;
      channel.write(ByteBuffer.wrap(hex("0000803f00000040")), data - 8);
      long start = local(channel, data, "x/data.pkl");
      channel.write(ByteBuffer.wrap(value), start);
      var crc = new CRC32();
      crc.update(value);
      long directory = start + value.length;
      byte[] entries =
          joined(
              entry("x/data/0", 0, 4 * elements, 0),
              entry("x/data.pkl", (int) crc.getValue(), value.length, data));
      long end = directory + entries.length;
      byte[] tail =
          joined(
              entries,
              little(56)
                  .putInt(0x06064b50)
                  .putLong(44)
                  .putInt(0)
                  .putInt(0)
                  .putInt(0)
                  .putLong(2)
                  .putLong(2)
                  .putLong(entries.length)
                  .putLong(directory)
                  .array(),
              little(20).putInt(0x07064b50).putInt(0).putLong(end).putInt(1).array(),
              little(22).putInt(0x06054b50).putInt(-1).putInt(-1).putInt(-1).putInt(-1).array());
      channel.write(ByteBuffer.wrap(tail), directory);
    }
    try (TensorFile read = TensorFile.open(file)) {
      assertArrayEquals(new float[] {1, 2}, floats(read, "w"));
    }
  }

  private static ByteBuffer little(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /// Writes a local header, and returns where the content begins.
  private static long local(FileChannel channel, long at, String name) throws IOException {
    byte[] bytes = name.getBytes(StandardCharsets.US_ASCII);
    var header =
        little(30 + bytes.length).putInt(0x04034b50).position(26).putShort((short) bytes.length);
    channel.write(header.position(30).put(bytes).flip(), at);
    return at + 30 + bytes.length;
  }

  private static byte[] entry(String name, int crc, long size, long local) {
    byte[] bytes = name.getBytes(StandardCharsets.US_ASCII);
    return little(46 + bytes.length + 28)
        .putInt(0, 0x02014b50)
        .putInt(16, crc)
        .putInt(20, -1)
        .putInt(24, -1)
        .putShort(28, (short) bytes.length)
        .putShort(30, (short) 28)
        .putInt(42, -1)
        .position(46)
        .put(bytes)
        .putShort((short) 1)
        .putShort((short) 24)
        .putLong(size)
        .putLong(size)
        .putLong(local)
        .array();
  }
}
