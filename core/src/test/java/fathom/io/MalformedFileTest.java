package fathom.io;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Each rule of the format, broken alone, and what the message must say of it.
final class MalformedFileTest {
  private static final String FIELDS = fields("F32", "[1]", "[0,4]");

  @TempDir Path folder;

  private record Case(String rule, byte[] file, String... message) {}

  @TestFactory
  Stream<DynamicTest> everyViolationIsNamed() {
    return Stream.of(cases(), kinds())
        .flatMap(each -> each)
        .map(each -> dynamicTest(each.rule, () -> assertRefused(each)));
  }

  private static Stream<Case> cases() {
    return Stream.of(
        raw("nothing", "", "empty", "at least 10 bytes"),
        raw("no length", "0200000000", "at least 10 bytes", "has 5"),
        raw("2^60 bytes", "0000000000000010 7b7d", "1152921504606846976", "2 bytes follow"),
        raw("2^64-1 bytes", "ffffffffffffffff 7b7d", "18446744073709551615 bytes"),
        raw("header of no bytes", "0000000000000000 7b7d", "header of 0 bytes", "'{'"),
        raw(
            "header beyond the file",
            "0300000000000000 7b7d",
            "header of 3 bytes",
            "2 bytes follow"),
        raw("header is an array", "0200000000000000 5b5d", "header of 2 bytes", "'{'"),
        raw("leading blank", "0300000000000000 207b7d", "header of 3 bytes", "'{'"),
        raw("not UTF-8", "0600000000000000 7b22c0af227d", "UTF-8", "byte 10"),
        raw("cut-off UTF-8", "0300000000000000 7b22c3", "UTF-8", "byte 10"),
        raw("surrogate in UTF-8", "0700000000000000 7b22eda080227d", "UTF-8", "byte 10"),
        raw("UTF-16", "0400000000000000 7b007d00", "JSON", "character 1"),
        json("{", "cut-off object", 0, "JSON", "character 1", "end-of-input"),
        json("{\"a", "cut-off text", 0, "JSON", "end-of-input"),
        json("{}{}", "second object", 0, "goes on after its JSON object", "'{'"),
        json("{} 1", "trailing number", 0, "goes on after its JSON object", "'1'"),
        json("{}\0", "trailing zero byte", 0, "JSON", "character 2"),
        json("{/**/}", "comment", 0, "JSON", "'/'"),
        json("{'a':1}", "single quotes", 0, "JSON"),
        json("{\"__metadata__\":{},}", "trailing comma", 0, "JSON"),
        json(
            "{\"a\":1}",
            "number for an entry",
            0,
            "tensor 'a': its entry must be an object",
            "is '1'"),
        json(
            "{\"a\":null}",
            "null for an entry",
            0,
            "tensor 'a': its entry must be an object",
            "is 'null'"),
        json("{\"a\":" + "[".repeat(100_000), "deep nesting", 0, "tensor 'a'", "is '['"),
        json("{\"a\":".repeat(100_000), "deep objects", 0, "tensor 'a'", "also has 'a'"),
        json("{\"__metadata__\":[]}", "metadata list", 0, "__metadata__ must be an object", "'['"),
        json(
            "{\"__metadata__\":null}",
            "metadata null",
            0,
            "__metadata__ must be an object",
            "'null'"),
        json(
            "{\"__metadata__\":{\"k\":1}}",
            "metadata number",
            0,
            "every value in __metadata__ must be a text",
            "is '1'"),
        json(
            "{\"__metadata__\":{\"k\":{}}}",
            "metadata object",
            0,
            "every value in __metadata__ must be a text",
            "is '{'"),
        json(
            "{\"__metadata__\":{},\"__metadata__\":{}}",
            "metadata twice",
            0,
            "Duplicate",
            "__metadata__"),
        json(
            "{\"__metadata__\":{\"k\":\"\",\"k\":\"\"}}",
            "metadata key twice",
            0,
            "Duplicate",
            "\"k\""),
        json(
            "{\"__metadata__\":{\"k\":\"\\ud83d\"}}",
            "half a pair in metadata",
            0,
            "has half of a surrogate pair"),
        json("{\"\\ud83d\":{}}", "half a pair in a name", 0, "surrogate"),
        json(
            "{\"__metadata__\":{\"fathom.sha256\":\"\"}}",
            "checksum of no digits",
            0,
            "mention fathom.sha256",
            "does not begin with it"),
        json(
            "{\"__metadata__\":{\"k\":\"fathom.sha256\"}}",
            "checksum elsewhere",
            0,
            "mention fathom.sha256",
            "does not begin with it"),
        json(
            "{%s,\"__metadata__\":[]}".formatted(named("a", "[0,4]")),
            "metadata behind a tensor",
            4,
            ".safetensors: __metadata__ must be an object"),
        json("{\"a\":{}}", "empty entry", 0, "tensor 'a'", "dtype is missing"),
        json("{\"\\u001b[2J\\u202e\":{}}", "control characters", 0, "tensor '?[2J?'"),
        entry("no shape", "\"dtype\":\"F32\",\"data_offsets\":[0,4]", 4, "shape is missing"),
        entry("no offsets", "\"dtype\":\"F32\",\"shape\":[1]", 4, "data_offsets is missing"),
        entry("another key", FIELDS + ",\"x\":[[[[[[[[1]]]]]]]]", 4, "tensor 'a'", "also has 'x'"),
        entry(
            "dtype twice",
            FIELDS + ",\"dtype\":\"F32\"",
            4,
            "tensor 'a'",
            "Duplicate",
            "\"dtype\""),
        entry("shape twice", FIELDS + ",\"sh\\u0061pe\":[1]", 4, "Duplicate", "\"shape\""),
        typed("unknown dtype", "\"F99\"", 4, "tensor 'a'", "must be one of", "BF16", "is 'F99'"),
        typed("lower case", "\"f32\"", 4, "must be one of", "is 'f32'"),
        typed("dtype is a number", "32", 4, "dtype must be a text", "is '32'"),
        shape("shape is a number", "1", 4, "shape must be a list", "is '1'"),
        shape("negative size", "[-1]", 4, "tensor 'a': shape must not be negative", "'-1'"),
        shape("two negative sizes", "[-1,-1]", 4, "must not be negative", "'-1'"),
        shape("minus zero", "[-0]", 0, "must not be negative", "'-0'"),
        shape("fraction", "[1.0]", 4, "whole numbers", "has \'1.0'"),
        shape("exponent", "[1e0]", 4, "whole numbers", "has \'1e0'"),
        shape("text", "[\"1\"]", 4, "whole numbers", "has \'1'"),
        shape("null", "[null]", 4, "whole numbers", "has \'null'"),
        shape("leading zero", "[01]", 4, "JSON", "Leading zeroes"),
        shape("NaN", "[NaN]", 4, "JSON", "NaN"),
        shape("nested list", "[[1]]", 4, "whole numbers", "has \'['"),
        shape("2^63", "[9223372036854775808]", 4, "9223372036854775807", "9223372036854775808"),
        shape("digits", "[" + "9".repeat(2000) + "]", 4, "JSON", "Number value length"),
        shape("product beyond 2^63", "[4294967296,4294967296]", 4, "'a'", "more elements"),
        shape("bits beyond 2^63", "[1152921504606846976]", 4, "'a'", "32 bits", "counted"),
        shape("overflow behind a zero", "[4294967296,4294967296,0]", 0, "'a'", "more elements"),
        shape("65 dimensions", "[" + "1,".repeat(64) + "1]", 4, "'a'", "64 numbers"),
        shape("too few bytes", "[2]", 4, "'a'", "F32 of shape 2 takes 8 bytes", "0 to 4 are 4"),
        shape("too many bytes", "[]", 8, "'a'", "F32 of shape scalar takes 4", "0 to 8 are 8"),
        entry(
            "half a byte", fields("F4", "[3]", "[0,1]"), 1, "'a'", "3 elements of 4 bits", "whole"),
        offsets("one offset", "[4]", 4, "2 numbers, but are 1"),
        offsets("three offsets", "[0,4,8]", 4, "2 numbers, but has more"),
        offsets("negative offset", "[-4,0]", 4, "'a'", "data_offsets must not be negative", "'-4'"),
        offsets("fractional offset", "[0.5,4.5]", 4, "'a'", "whole numbers", "'0.5'"),
        offsets("backwards", "[4,0]", 4, "'a'", "begin at 4", "at 0"),
        offsets("beyond the file", "[0,4]", 3, "'a'", "end at 4", "only 3 bytes", "cut off"),
        offsets("far beyond", "[0,9223372036854775807]", 4, "9223372036854775807", "only 4 bytes"),
        offsets("bytes before", "[4,8]", 8, "'a': its bytes begin at 4, but the data begin at 0"),
        offsets("bytes behind", "[0,4]", 9, "end at byte 4", "has 9 bytes of data"),
        json("{}", "data of no tensor", 1, "end at byte 0", "has 1 bytes"),
        two(
            "overlap",
            "[0,4]",
            "[2,6]",
            6,
            "'b': its bytes begin at 2, but those of tensor 'a' end at 4: they overlap"),
        two(
            "same bytes",
            "[0,4]",
            "[0,4]",
            4,
            "'b': its bytes begin at 0, but those of tensor 'a' end at 4: they overlap"),
        two(
            "gap",
            "[0,4]",
            "[5,9]",
            9,
            "'b': its bytes begin at 5, but those of tensor 'a' end at 4: the bytes between"),
        two(
            "gap, reversed",
            "[5,9]",
            "[0,4]",
            9,
            "'a': its bytes begin at 5, but those of tensor 'b' end at 4: the bytes between"),
        json(
            "{%s,%s}".formatted(named("a", "[0,4]"), named("a", "[4,8]")),
            "same name",
            8,
            "JSON",
            "Duplicate",
            "\"a\""));
  }

  private static Case raw(String rule, String hex, String... message) {
    return new Case(rule, HexFormat.of().parseHex(hex.replace(" ", "")), message);
  }

  private static Case text(String rule, String text, String... message) {
    return new Case(rule, text.getBytes(StandardCharsets.UTF_8), message);
  }

  private static Case json(String json, String rule, int dataBytes, String... message) {
    return new Case(rule, Fixture.file(json, "00".repeat(dataBytes)), message);
  }

  private static Case entry(String rule, String fields, int dataBytes, String... message) {
    return json("{\"a\":{%s}}".formatted(fields), rule, dataBytes, message);
  }

  private static Case typed(String rule, String type, int dataBytes, String... message) {
    String fields = "\"dtype\":%s,\"shape\":[1],\"data_offsets\":[0,4]".formatted(type);
    return entry(rule, fields, dataBytes, message);
  }

  private static Case shape(String rule, String shape, int dataBytes, String... message) {
    return entry(rule, fields("F32", shape, "[0,%s]".formatted(dataBytes)), dataBytes, message);
  }

  private static Case offsets(String rule, String offsets, int dataBytes, String... message) {
    return entry(rule, fields("F32", "[1]", offsets), dataBytes, message);
  }

  private static Case two(String rule, String a, String b, int dataBytes, String... message) {
    return json("{%s,%s}".formatted(named("a", a), named("b", b)), rule, dataBytes, message);
  }

  private static String named(String name, String offsets) {
    return "\"%s\":{%s}".formatted(name, fields("F32", "[1]", offsets));
  }

  private static String fields(String type, String shape, String offsets) {
    return "\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":%s".formatted(type, shape, offsets);
  }

  /// What the file seems to be instead.
  private static Stream<Case> kinds() {
    return Stream.of(
        raw("zip", "504b0304 1400 0808 0800 0000 0000", "PyTorch .pt"),
        raw("legacy pickle", "80028a0a6cfc9c46f920 6aa85019 2e", "pickle", "PyTorch .th"),
        raw("gzip", "1f8b0800000000000003 4b04 00", "gzip"),
        text("web page", "<!DOCTYPE html><html></html>", "web page"),
        text("Git LFS", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"),
        text("index", "{\"metadata\": {\"total_size\": 1}}", "JSON text"),
        text("unknown", "something that nobody knows", "no safetensors file", "at most 100000000"));
  }

  /// By the first bytes, and where they do not tell by the name: how the weights come here.
  @ParameterizedTest
  @CsvSource({
    "net.keras, 504b030414000000, keras.models.load_model(",
    "net.h5, 894844460d0a1a0a, keras.models.load_model("
  })
  void filesOfOtherProgramsAreRefusedWithAWayOut(String name, String bytes, String way)
      throws IOException {
    Path file = folder.resolve(name);
    Files.write(file, HexFormat.of().parseHex(bytes + "0011223344556677"));
    var e = assertThrows(BadFileException.class, () -> SafeTensors.open(file));
    String says = String.valueOf(e.getMessage());
    assertTrue(says.contains(way + "\"" + file), says);
    String converted = name.substring(0, name.indexOf('.')) + ".safetensors\")";
    assertTrue(says.endsWith(converted), says);
  }

  /// An ONNX model is read, but not by the reader of safetensors.
  @Test
  void anOnnxModelIsForTheOtherReader() throws IOException {
    Path file = folder.resolve("net.onnx");
    byte[] model = HexFormat.of().parseHex("08083a0a0a08676f6f640011223344556677");
    Files.write(file, model);
    assertRefused(file, "an ONNX model by its name", "TensorFile.open reads those");
    assertTrue(OnnxTensors.isOne(file));
  }

  /// The name is asked last: weights may be called what one likes.
  @Test
  void safetensorsOfAnyNameAreRead() throws IOException {
    Path file = folder.resolve("weights.bin");
    Files.write(file, Fixture.file("{}", ""));
    try (var stored = SafeTensors.open(file)) {
      assertTrue(stored.names().isEmpty());
    }
  }

  @Test
  void whatIsNoFile() throws IOException {
    assertRefused(folder.resolve("missing.safetensors"), "there is no such file");
    assertRefused(folder, "this is a folder");
    Path plain = Files.createFile(folder.resolve("plain"));
    assertRefused(plain.resolve("below"), "there is no such file");
    try (ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      Path socket = folder.resolve("socket");
      channel.bind(UnixDomainSocketAddress.of(socket));
      assertRefused(socket, "no regular file");
    }
  }

  @Test
  void theLegacyFileOfTheRealWeights() {
    Path data = Path.of(System.getProperty("fathom.root", ".")).resolve("../shared/data");
    assumeTrue(Files.isDirectory(data), "no " + data);
    assertRefused(data.resolve("resnet20.th"), "pickle", "PyTorch .th");
  }

  /// The length is checked before anything is read or allocated.
  @Test
  void anAbsurdLengthIsRefusedAtOnce() {
    Case absurd = raw("", "0000000000000010 7b7d", "1152921504606846976");
    assertTimeoutPreemptively(Duration.ofSeconds(1), () -> assertRefused(absurd));
  }

  @Test
  void aHeaderOverTheLimitIsRefused() throws IOException {
    Path file = folder.resolve("large.safetensors");
    try (var channel = Files.newByteChannel(file, CREATE, WRITE)) {
      byte[] start = HexFormat.of().parseHex("01e1f505000000007b");
      channel.write(ByteBuffer.wrap(start));
      channel.position(200_000_000).write(ByteBuffer.wrap(new byte[1]));
    }
    assertRefused(file, "header of 100000001 bytes", "at most 100000000");
  }

  @Test
  void aHeaderOfTooManyNamesIsRefused() {
    String many =
        IntStream.rangeClosed(0, Header.MAX_NAMES)
            .mapToObj("\"%x\":\"\""::formatted)
            .collect(Collectors.joining(",", "{\"__metadata__\":{", "}}"));
    assertRefused(json(many, "", 0, "more than 250000 tensors and metadata"));
  }

  @Test
  void aRefusedFileDoesNotStayMapped() throws IOException {
    Path maps = Path.of("/proc/self/maps");
    assumeTrue(Files.exists(maps), "no " + maps);
    assertRefused(json("{}", "", 1, "belongs to none"));
    assertFalse(Files.readString(maps).contains(folder.toRealPath().toString()));
    SafeTensors opened = SafeTensors.open(write(Fixture.file("{}", "")));
    assertTrue(Files.readString(maps).contains(folder.toRealPath().toString()));
    opened.close();
    assertFalse(Files.readString(maps).contains(folder.toRealPath().toString()));
  }

  private void assertRefused(Case malformed) {
    assertRefused(write(malformed.file), malformed.message);
  }

  private Path write(byte[] bytes) {
    return Fixture.write(folder.resolve("malformed.safetensors"), bytes);
  }

  private static void assertRefused(Path path, String... message) {
    var refused = assertThrows(BadFileException.class, () -> SafeTensors.open(path).close());
    String text = String.valueOf(refused.getMessage());
    assertTrue(text.startsWith(path + ": "), text);
    for (String part : message) {
      assertTrue(text.contains(part), text + " lacks " + part);
    }
  }
}
