package fathom.io;

import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.SPARSE;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import fathom.DType;
import fathom.Shape;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class SafeTensorsTest {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  @TempDir Path folder;

  @Test
  void whatIsWrittenIsRead() {
    Path path = folder.resolve("all.safetensors");
    SafeTensors.write(path, Fixture.tensors(), Fixture.metadata());
    try (SafeTensors file = SafeTensors.open(path)) {
      assertEquals(List.copyOf(Fixture.tensors().keySet()), List.copyOf(file.names()));
      assertEquals(Fixture.metadata(), file.metadata());
      assertTrue(file.isChecksummed());
      Fixture.tensors()
          .forEach((name, tensor) ->
              assertEquals(Fixture.content(tensor), Fixture.content(file.tensor(name)), name));
    }
  }

  @Test
  void manyTensorsAndNone() {
    SequencedMap<String, StoredTensor> many = new LinkedHashMap<>();
    for (int i = 0; i < 5000; i++) {
      many.put("layer%s.weight".formatted(i), Fixture.floats(Shape.of(1), i));
    }
    Path path = folder.resolve("many.safetensors");
    SafeTensors.write(path, many, Map.of());
    try (SafeTensors file = SafeTensors.open(path)) {
      assertEquals(5000, file.names().size());
      assertEquals(4711, file.tensor("layer4711.weight").bytes().get(FLOAT, 0));
    }
    SafeTensors.write(path, new LinkedHashMap<>(), Map.of());
    try (SafeTensors file = SafeTensors.open(path)) {
      assertEquals(List.of(), List.copyOf(file.names()));
      assertTrue(file.isChecksummed());
    }
  }

  @Test
  void longNamesAndTexts() {
    String name = "n".repeat(200_000);
    Path path = folder.resolve("long.safetensors");
    SequencedMap<String, StoredTensor> tensors = new LinkedHashMap<>();
    tensors.put(name, Fixture.floats(Shape.of(), 5));
    SafeTensors.write(path, tensors, Map.of("log", "ü".repeat(3_000_000)));
    try (SafeTensors file = SafeTensors.open(path)) {
      assertEquals(5, file.tensor(name).bytes().get(FLOAT, 0));
      assertEquals("ü".repeat(3_000_000), file.metadata().get("log"));
    }
  }

  /// A file made without the writer: 1.0f, -2.0f, then the scalar -2, then a list of no numbers.
  @Test
  void readsAFileMadeByHand() {
    String json =
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]},"
            + "\"__metadata__\":{\"k\":\"v\"},"
            + "\"empty\":{\"shape\":[0],\"data_offsets\":[16,16],\"dtype\":\"F64\"},"
            + " \"\\u0073\" : {\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[8,16]}} \n";
    byte[] bytes = Fixture.file(json, "0000803f 000000c0 feffffffffffffff");
    try (SafeTensors file = open(bytes)) {
      assertEquals(List.of("a", "empty", "s"), List.copyOf(file.names()));
      assertEquals(Map.of("k", "v"), file.metadata());
      assertFalse(file.isChecksummed());
      StoredTensor a = file.tensor("a");
      assertEquals(DType.FLOAT32, a.type());
      assertEquals(Shape.of(2, 1), a.shape());
      assertEquals(1f, a.bytes().get(FLOAT, 0));
      assertEquals(-2f, a.bytes().get(FLOAT, 4));
      assertEquals(-2, file.tensor("s").bytes().get(LONG, 0));
      assertEquals(Shape.of(), file.tensor("s").shape());
      assertEquals(DType.FLOAT64, file.tensor("empty").type());
      assertEquals(0, file.tensor("empty").bytes().byteSize());
    }
  }

  /// The whole file, byte for byte. The digits are what `sha256sum` says of it with zeros in their
  /// place.
  @Test
  void writesTheseBytes() throws IOException {
    SequencedMap<String, StoredTensor> tensors = new LinkedHashMap<>();
    tensors.put("w/ü", Fixture.floats(Shape.of(1), 1));
    tensors.put(
        "n", new StoredTensor(DType.INT64, Shape.of(), MemorySegment.ofArray(new long[] {-2})));
    Path path = folder.resolve("bytes.safetensors");
    SafeTensors.write(path, tensors, Map.of("b", "2", "a", "1"));
    String json =
        "{\"__metadata__\":{\"fathom.sha256\":\"8c8e3502966ed31f32ffb33ed6ae95b0aacebcd59a763ba2130e58d0e57c53c8\",\"fathom.sha256.of\":\"the"
            + " whole file, with zeros for the digits of fathom.sha256\",\"a\":\"1\",\"b\":\"2\"},"
            + "\"w/ü\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]},\"n\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]}}"
            + "      ";
    assertArrayEquals(Fixture.file(json, "feffffffffffffff 0000803f"), Files.readAllBytes(path));
  }

  @Test
  void bytesDependOnTheContentOnly() throws IOException {
    Path path = folder.resolve("same.safetensors");
    SafeTensors.write(path, Fixture.tensors(), Fixture.metadata());
    byte[] first = Files.readAllBytes(path);
    SequencedMap<String, String> metadata = new LinkedHashMap<>(Fixture.metadata());
    SafeTensors.write(path, Fixture.tensors(), metadata.reversed());
    assertArrayEquals(first, Files.readAllBytes(path));
  }

  /// Python's readers want an F64 at a multiple of 8 bytes, an F32 at one of 4.
  @Test
  void everyTensorIsAligned() throws IOException {
    Path path = folder.resolve("aligned.safetensors");
    SafeTensors.write(path, Fixture.tensors(), Fixture.metadata());
    long start =
        8 + ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN).getLong();
    assertEquals(0, start % 8);
    try (SafeTensors file = SafeTensors.open(path)) {
      long first = file.tensor("double").bytes().address();
      for (String name : file.names()) {
        StoredTensor tensor = file.tensor(name);
        long offset = tensor.bytes().address() - first;
        assertEquals(0, offset % tensor.type().bytes(), name);
      }
    }
  }

  /// 1, -2, the largest, the smallest positive, infinity, NaN: what each of the 16 bits means.
  @ParameterizedTest
  @CsvSource({
    "F16, 003c 00c0 ff7b 0100 007c 007e, 65504, 5.9604645E-8",
    "BF16, 803f 00c0 7f7f 0100 807f c07f, 3.3895314E38, 9.18355E-41"
  })
  void halvesAreWidened(String dtype, String hex, float largest, float smallest) {
    byte[] bytes =
        Fixture.file(
            "{\"h\":{\"dtype\":\"%s\",\"shape\":[2,3],\"data_offsets\":[0,12]}}".formatted(dtype),
            hex);
    try (SafeTensors file = open(bytes);
        Arena arena = Arena.ofConfined()) {
      StoredTensor wide = file.widened("h", arena);
      assertEquals(DType.FLOAT32, wide.type());
      assertEquals(Shape.of(2, 3), wide.shape());
      assertArrayEquals(
          new float[] {1, -2, largest, smallest, Float.POSITIVE_INFINITY, Float.NaN},
          wide.bytes().toArray(FLOAT));
      var refused = assertThrows(BadFileException.class, () -> file.tensor("h"));
      assertContains(refused, "'h'", dtype, "F32, F64 or I64");
    }
  }

  @Test
  void wideningLeavesTheOthersAsTheyAre() {
    Path path = folder.resolve("all.safetensors");
    SafeTensors.write(path, Fixture.tensors(), Map.of());
    try (SafeTensors file = SafeTensors.open(path);
        Arena arena = Arena.ofConfined()) {
      for (String name : file.names()) {
        assertEquals(
            file.tensor(name).bytes().address(), file.widened(name, arena).bytes().address());
      }
    }
  }

  /// Other types are no reason to refuse the file, only the tensor.
  @Test
  void aTensorOfAnotherTypeIsRefusedWhenItIsAskedFor() {
    Map<String, Integer> bits = new TreeMap<>();
    bits.putAll(Map.of("F4", 4, "F6_E2M3", 6, "F6_E3M2", 6, "BOOL", 8, "U8", 8, "I8", 8));
    bits.putAll(Map.of("F8_E5M2", 8, "F8_E4M3", 8, "F8_E8M0", 8));
    bits.putAll(Map.of("F8_E4M3FNUZ", 8, "F8_E5M2FNUZ", 8));
    bits.putAll(Map.of("I16", 16, "U16", 16, "F16", 16, "BF16", 16, "I32", 32, "U32", 32));
    bits.putAll(Map.of("C64", 64, "U64", 64, "F32", 32, "F64", 64, "I64", 64));
    List<String> entries = new ArrayList<>();
    int at = 0;
    for (var type : bits.entrySet()) {
      int end = at + 4 * type.getValue() / 8;
      entries.add(
          "\"%s\":{\"dtype\":\"%s\",\"shape\":[4],\"data_offsets\":[%s,%s]}"
              .formatted(type.getKey(), type.getKey(), at, end));
      at = end;
    }
    String json = "{" + String.join(",", entries) + "}";
    Set<String> others = new TreeSet<>(bits.keySet());
    others.removeAll(Set.of("F32", "F64", "I64"));
    try (SafeTensors file = open(Fixture.file(json, "00".repeat(at)))) {
      assertEquals(StoredType.values().length, file.names().size());
      for (String other : others) {
        var refused = assertThrows(BadFileException.class, () -> file.tensor(other));
        assertContains(refused, "tensor '" + other + "' has dtype " + other);
      }
      assertEquals(16, file.tensor("F32").bytes().byteSize());
    }
  }

  @Test
  void aMissingTensorIsNamedWithSomeThatAreThere() {
    Path path = folder.resolve("all.safetensors");
    SafeTensors.write(path, Fixture.tensors(), Map.of());
    try (SafeTensors file = SafeTensors.open(path)) {
      var missing = assertThrows(BadFileException.class, () -> file.tensor("fc.weight"));
      assertContains(missing, path.toString(), "'fc.weight'", "7 others", "'odd'", "...");
    }
  }

  @Test
  void viewsEndWithTheFile() {
    Path path = folder.resolve("all.safetensors");
    SafeTensors.write(path, Fixture.tensors(), Map.of());
    SafeTensors file = SafeTensors.open(path);
    MemorySegment view = file.tensor("odd").bytes();
    assertTrue(view.isReadOnly());
    assertEquals(1, view.get(FLOAT, 0));
    file.close();
    file.close();
    assertThrows(IllegalStateException.class, () -> view.get(FLOAT, 0));
  }

  /// What is open stays readable while its name gets a new file.
  @Test
  void anOpenFileOutlivesItsReplacement() {
    assumeTrue(!System.getProperty("os.name").startsWith("Windows"));
    Path path = folder.resolve("replaced.safetensors");
    SequencedMap<String, StoredTensor> tensors = new LinkedHashMap<>();
    tensors.put("x", Fixture.floats(Shape.of(), 1));
    SafeTensors.write(path, tensors, Map.of());
    try (SafeTensors before = SafeTensors.open(path)) {
      tensors.put("x", Fixture.floats(Shape.of(), 2));
      SafeTensors.write(path, tensors, Map.of());
      try (SafeTensors after = SafeTensors.open(path)) {
        assertEquals(1, before.tensor("x").bytes().get(FLOAT, 0));
        assertEquals(2, after.tensor("x").bytes().get(FLOAT, 0));
      }
    }
  }

  /// What was read can be written again, straight from the mapped file.
  @Test
  void rewritingAForeignFileKeepsItsContent() {
    byte[] bytes =
        Fixture.file(
            "{\"__metadata__\":{\"k\":\"v\"},\"b\":{\"dtype\":\"F32\",\"shape\":[1],"
                + "\"data_offsets\":[0,4]},\"a\":{\"dtype\":\"F64\",\"shape\":[1],"
                + "\"data_offsets\":[4,12]}}",
            "01020304 05060708090a0b0c");
    Path path = folder.resolve("again.safetensors");
    try (SafeTensors foreign = open(bytes)) {
      SequencedMap<String, StoredTensor> tensors = new LinkedHashMap<>();
      foreign.names().forEach(name -> tensors.put(name, foreign.tensor(name)));
      SafeTensors.write(path, tensors, foreign.metadata());
      try (SafeTensors own = SafeTensors.open(path)) {
        assertEquals(Fixture.content(foreign), Fixture.content(own));
      }
    }
  }

  @Test
  void whatTheFormatCannotHoldIsRefused() {
    Path path = folder.resolve("refused.safetensors");
    for (String name : List.of("__metadata__", "half\ud83d", "\ude00half")) {
      SequencedMap<String, StoredTensor> tensors = new LinkedHashMap<>();
      tensors.put(name, Fixture.floats(Shape.of(), 1));
      assertThrows(
          IllegalArgumentException.class, () -> SafeTensors.write(path, tensors, Map.of()), name);
    }
    for (Map<String, String> metadata :
        List.of(
            Map.of("fathom.sha256", ""),
            Map.of("fathom.sha256.of", ""),
            Map.of("half\ud83d", "\ude00half"),
            Map.of("half", "\ude00half"))) {
      assertThrows(
          IllegalArgumentException.class,
          () -> SafeTensors.write(path, Fixture.tensors(), metadata),
          metadata.toString());
    }
    Map<String, String> many = new HashMap<>();
    for (int i = 0; i < Header.MAX_NAMES; i++) {
      many.put("key" + i, "");
    }
    assertThrows(
        IllegalArgumentException.class, () -> SafeTensors.write(path, Fixture.tensors(), many));
    assertFalse(Files.exists(path));
  }

  @Test
  void aTensorHasAsManyBytesAsItsShapeSays() {
    var wrong =
        assertThrows(IllegalArgumentException.class, () -> Fixture.floats(Shape.of(2, 3), 1));
    assertContains(wrong, "2×3 has 24 bytes, but the segment has 4");
    assertThrows(
        IllegalArgumentException.class, () -> Fixture.floats(Shape.of(1L << 61, 2)), "overflow");
    long[] ones = new long[65];
    Arrays.fill(ones, 1);
    assertThrows(IllegalArgumentException.class, () -> Fixture.floats(Shape.of(ones), 1));
  }

  @ParameterizedTest
  @CsvSource({"resnet20, 97, 271098", "resnet32, 157, 466426"})
  void readsPublishedWeights(String name, int tensors, long elements) {
    Path root = Path.of(System.getProperty("fathom.root", "."));
    Path data = root.resolve("../shared/data").normalize();
    assumeTrue(Files.isDirectory(data), "no " + data);
    try (SafeTensors file = SafeTensors.open(data.resolve(name + ".safetensors"))) {
      assertEquals(tensors, file.names().size());
      assertEquals(
          elements, file.names().stream().mapToLong(n -> file.tensor(n).shape().elements()).sum());
      assertEquals(Shape.of(16, 3, 3, 3), file.tensor("conv1.weight").shape());
      assertEquals(Shape.of(10, 64), file.tensor("linear.weight").shape());
      MemorySegment variance = file.tensor("bn1.running_var").bytes();
      for (float value : variance.toArray(FLOAT)) {
        assertTrue(value > 0 && value < 100, "a variance of " + value);
      }
    }
  }

  /// A sparse file of 5 GiB: a tensor that reaches over the first 2 GiB, whose last two numbers are
  /// not zero, and others behind 4 GiB, as they are and widened; alone and as a part of several.
  @Test
  void tensorsBeyondTwoGibibytesAreReadByPosition() throws IOException {
    long wide = (1L << 29) + 2;
    long behind = 4 * wide;
    long far = 5L << 30;
    byte[] header =
        """
        {"wide":{"dtype":"F32","shape":[%s],"data_offsets":[0,%s]},\
        "unread":{"dtype":"U8","shape":[%s],"data_offsets":[%s,%s]},\
        "far":{"dtype":"F64","shape":[2],"data_offsets":[%s,%s]},\
        "half":{"dtype":"BF16","shape":[1,3],"data_offsets":[%s,%s]}}\
        """
            .formatted(wide, behind, far - behind, behind, far, far, far + 16, far + 16, far + 22)
            .getBytes(StandardCharsets.US_ASCII);
    Path file = folder.resolve("large.safetensors");
    assumeTrue(
        Files.getFileStore(folder).getUsableSpace() > 2 * far,
        "a sparse file of 5 GiB has no room on this disk, should it not stay sparse");
    try (var channel = FileChannel.open(file, CREATE_NEW, SPARSE, WRITE)) {
      var start = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
      channel.write(start.putLong(0, header.length), 0);
      channel.write(ByteBuffer.wrap(header), 8);
      long data = 8L + header.length;
      byte[] last = HexFormat.of().parseHex("0000803f000000c0");
      channel.write(ByteBuffer.wrap(last), data + behind - 8);
      var numbers = ByteBuffer.allocate(22).order(ByteOrder.LITTLE_ENDIAN);
      numbers.putDouble(0.1).putDouble(-7).putShort((short) 0x3fc0).putShort((short) 0xc000);
      channel.write(numbers.putShort((short) 0x0001).flip(), data + far);
    }
    Path index = folder.resolve("model.safetensors.index.json");
    Files.writeString(
        index,
        "{\"weight_map\":{\"far\":\"%1$s\",\"wide\":\"%1$s\",\"unread\":\"%1$s\",\"half\":\"%1$s\"}}"
            .formatted(file.getFileName()));
    for (Path each : List.of(file, index)) {
      try (TensorFile stored = TensorFile.open(each);
          Arena arena = Arena.ofConfined()) {
        assertEquals(Shape.of(wide), stored.shape("wide"));
        MemorySegment numbers = stored.widened("wide", arena).bytes();
        assertEquals(behind, numbers.byteSize());
        assertEquals(0, numbers.getAtIndex(FLOAT, 0));
        assertEquals(1, numbers.getAtIndex(FLOAT, wide - 2));
        assertEquals(-2, numbers.getAtIndex(FLOAT, wide - 1));
        var doubles = ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
        assertArrayEquals(
            new double[] {0.1, -7}, stored.widened("far", arena).bytes().toArray(doubles));
        assertArrayEquals(
            new float[] {1.5f, -2, Float.intBitsToFloat(0x10000)},
            stored.widened("half", arena).bytes().toArray(FLOAT));
      }
    }
  }

  /// A program that keeps the metadata of a file whose tensors it changes.
  @Test
  void aChecksumOfAnotherContentIsRefused() throws IOException {
    Path path = folder.resolve("all.safetensors");
    SafeTensors.write(path, Fixture.tensors(), Map.of());
    byte[] bytes = Files.readAllBytes(path);
    bytes[bytes.length - 1] ^= 1;
    var damaged = assertThrows(BadFileException.class, () -> open(bytes));
    assertContains(damaged, "damaged", "SHA-256 is '", "use another copy", "drop the metadata");
    String moved =
        "{\"__metadata__\":{\"a\":\"\",\"fathom.sha256\":\"%s\"}}".formatted("0".repeat(64));
    var elsewhere = assertThrows(BadFileException.class, () -> open(Fixture.file(moved, "")));
    assertContains(elsewhere, "damaged", "mention fathom.sha256", "does not begin with it");
  }

  private SafeTensors open(byte[] bytes) {
    return SafeTensors.open(Fixture.write(folder.resolve("made.safetensors"), bytes));
  }

  private static void assertContains(Exception e, String... parts) {
    for (String part : parts) {
      assertTrue(String.valueOf(e.getMessage()).contains(part), e.getMessage() + " lacks " + part);
    }
  }
}
