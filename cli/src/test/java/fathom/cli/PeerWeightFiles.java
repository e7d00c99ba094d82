package fathom.cli;

import fathom.infer.FittingNets;
import fathom.io.TensorFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.StringJoiner;
import java.util.zip.ZipFile;

/// Weights as PyTorch wrote them, which has more opcodes and entries than the files by hand of
/// [WeightFiles], and under the names of Keras. The nets that they fit are sought too.
final class PeerWeightFiles {
  private static final String PICKLE = "net/data.pkl";

  private PeerWeightFiles() {}

  static List<FileFormat> formats() {
    return List.of(zip(), legacy(), keras());
  }

  private static Path path(String name) {
    Path root = Path.of(System.getProperty("fathom.root", "."));
    return root.resolve("core/src/test/resources/fathom/io/torch").resolve(name);
  }

  private static byte[] written(String name) {
    try {
      return Files.readAllBytes(path(name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Reads every tensor, and seeks the nets that have them.
  private static void read(Path file) {
    try (TensorFile stored = TensorFile.open(file);
        Arena arena = Arena.ofConfined()) {
      for (String name : stored.names()) {
        var tensor = stored.widened(name, arena);
        DataFiles.same(stored.shape(name), tensor.shape(), name);
        DataFiles.same(
            tensor.shape().elements() * tensor.type().bytes(), tensor.bytes().byteSize(), name);
      }
      FittingNets.of(stored);
    }
  }

  private static FileFormat format(String name, String file, byte[] own, FileFormat.Way... ways) {
    return new FileFormat(
        name,
        Map.of(file, own),
        List.of(ways),
        FileFormat.Reading.of(folder -> read(folder.resolve(file))),
        List.of());
  }

  private static FileFormat zip() {
    byte[] own = written("net.pt");
    SequencedMap<String, byte[]> entries = entries("net.pt");
    byte[] pickle = entries.getOrDefault(PICKLE, new byte[0]);
    return format(
        "pt-of-torch",
        "net.pt",
        own,
        FileFormat.Way.of("net.pt", Mutation.BYTES, own, written("views.pt")),
        FileFormat.Way.of("net.pt", Mutation.BYTES, pickle)
            .sealed(mutant -> {
              var all = new LinkedHashMap<>(entries);
              all.put(PICKLE, mutant);
              return WeightFiles.zip(all);
            }));
  }

  private static SequencedMap<String, byte[]> entries(String name) {
    var entries = new LinkedHashMap<String, byte[]>();
    try (var zip = new ZipFile(path(name).toFile())) {
      for (var entry : Collections.list(zip.entries())) {
        entries.put(entry.getName(), zip.getInputStream(entry).readAllBytes());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return entries;
  }

  private static FileFormat legacy() {
    byte[] own = written("net.pth");
    return format(
        "pth-of-torch",
        "net.pth",
        own,
        FileFormat.Way.of("net.pth", Mutation.BYTES, own, written("checkpoint.pth")));
  }

  /// The stem and the classifier of Keras's ResNet-50, of two channels.
  private static FileFormat keras() {
    SequencedMap<String, int[]> shapes = new LinkedHashMap<>();
    shapes.put("conv1_conv/kernel", new int[] {7, 7, 1, 2});
    shapes.put("conv1_conv/bias", new int[] {2});
    for (String role : List.of("gamma", "beta", "moving_mean", "moving_variance")) {
      shapes.put("conv1_bn/" + role, new int[] {2});
    }
    shapes.put("predictions/kernel", new int[] {2, 3});
    shapes.put("predictions/bias", new int[] {3});
    var header = new StringJoiner(",", "{", "}");
    int at = 0;
    for (var each : shapes.entrySet()) {
      int end = at + 4 * Arrays.stream(each.getValue()).reduce(1, (a, b) -> a * b);
      header.add(
          "\"%s\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":[%s,%s]}"
              .formatted(each.getKey(), Arrays.toString(each.getValue()), at, end));
      at = end;
    }
    byte[] head = header.toString().getBytes(StandardCharsets.US_ASCII);
    byte[] numbers = new byte[at];
    byte[] own = RunFiles.file(head, numbers);
    Mutation words =
        Mutation.text(
            "\"conv2_block1_0_conv/kernel\"",
            "\"conv2_block1_0_bn/gamma\"",
            "\"conv1_bn/beta\"",
            "\"conv5_block999_3_conv/bias\"",
            "\"conv2_block1_preact_bn/gamma\"",
            "\"F16\"",
            "\"F64\"",
            "[]",
            "[2,1,1,1]",
            "[1,2]");
    return format(
        "keras",
        "keras.safetensors",
        own,
        FileFormat.Way.of("keras.safetensors", Mutation.BYTES, own),
        FileFormat.Way.of("keras.safetensors", words, head)
            .sealed(mutant -> RunFiles.file(mutant, numbers)));
  }
}
