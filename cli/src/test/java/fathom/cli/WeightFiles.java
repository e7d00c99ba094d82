package fathom.cli;

import fathom.DType;
import fathom.Layer;
import fathom.Scope;
import fathom.infer.FittingNets;
import fathom.infer.PublishedConfig;
import fathom.io.Message;
import fathom.io.TensorFile;
import fathom.net.Architecture;
import fathom.net.ImageShape;
import fathom.nn.Init;
import fathom.train.Weights;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.jspecify.annotations.Nullable;

/// The formats in which weights come from elsewhere: PyTorch's two, folders as timm publishes them,
/// and ONNX models. The files are made by hand, for an `mlp` of two units.
final class WeightFiles {
  private static final String INDEX = "model.safetensors.index.json";
  private static final String CONFIG = "config.json";
  private static final float[] VALUES = {0.5f, -1, 2, 3.25f, -4, 5, 6, 7, 8, 9, 10, 11};

  private WeightFiles() {}

  static List<FileFormat> formats() {
    return List.of(zip(), legacy(), folder(), onnx());
  }

  /// Writes `weights.th`, `weights.pth` and a `folder`, for tests of commands.
  static void write(Path place) throws IOException {
    Files.write(place.resolve("weights.th"), legacy(dictionary(tensors())));
    Files.write(place.resolve("weights.pth"), zip(dictionary(tensors())));
    Path folder = Files.createDirectories(place.resolve("folder"));
    for (Map.Entry<String, byte[]> file : published().entrySet()) {
      Files.write(folder.resolve(file.getKey()), file.getValue());
    }
  }

  // ---- Pickles

  private static byte[] joined(byte[]... parts) {
    var all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  private static byte[] text(String text) {
    return ascii("X" + (char) text.length() + "\0\0\0" + text);
  }

  private static byte[] tuple(int... numbers) {
    var all = new StringBuilder("(");
    for (int number : numbers) {
      all.append('K').append((char) number);
    }
    return ascii(all + "t");
  }

  /// A call of a global with arguments.
  private static byte[] call(String global, byte[]... arguments) {
    int dot = global.lastIndexOf('.');
    String name = "c" + global.substring(0, dot) + "\n" + global.substring(dot + 1) + "\n";
    return joined(ascii(name + "("), joined(arguments), ascii("tR"));
  }

  /// A tensor of some of the twelve numbers, all of which share a storage.
  private static byte[] tensor(String name, int offset, int[] sizes, int... strides) {
    byte[] storage =
        joined(
            ascii("("),
            text("storage"),
            ascii("ctorch\nFloatStorage\n"),
            text("0"),
            text("cpu"),
            ascii("K\14N"),
            ascii("tQ"));
    return joined(
        text(name),
        call(
            "torch._utils._rebuild_tensor_v2",
            storage,
            ascii("K" + (char) offset),
            tuple(sizes),
            tuple(strides),
            ascii("\u0089"),
            call("collections.OrderedDict")));
  }

  private static int[] sizes(int... sizes) {
    return sizes;
  }

  /// The tensors of [#net], one of which is transposed, below the name of a wrapper.
  private static byte[] tensors() {
    return joined(
        tensor("module.hidden1.weight", 0, sizes(2, 4), 1, 2),
        tensor("module.norm1.weight", 8, sizes(2), 1),
        tensor("module.norm1.bias", 4, sizes(2), 0),
        tensor("module.linear.weight", 0, sizes(2, 2), 2, 1),
        tensor("module.linear.bias", 10, sizes(2), 1));
  }

  private static byte[] dictionary(byte[] state, byte[]... beside) {
    return joined(
        ascii("\u0080\2}("),
        text("epoch"),
        ascii("K\3"),
        text("state_dict"),
        ascii("}("),
        state,
        ascii("u"),
        joined(beside),
        ascii("u."));
  }

  private static byte[] numbers() {
    var bytes = ByteBuffer.allocate(4 * VALUES.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : VALUES) {
      bytes.putFloat(value);
    }
    return bytes.array();
  }

  private static byte[] legacy(byte[] pickle) {
    return joined(
        ascii("\u0080\2\u008a\nl\u00fc\u009cF\u00f9 j\u00a8P\u0019."),
        ascii("\u0080\2M\u00e9\3."),
        ascii("\u0080\2}("),
        text("little_endian"),
        ascii("\u0088u."),
        pickle,
        ascii("\u0080\2]("),
        text("0"),
        ascii("e."),
        ascii("\14\0\0\0\0\0\0\0"),
        numbers());
  }

  private static byte[] zip(byte[] pickle) {
    var entries = new LinkedHashMap<String, byte[]>();
    entries.put("net/data.pkl", pickle);
    entries.put("net/byteorder", ascii("little"));
    entries.put("net/data/0", numbers());
    return zip(entries);
  }

  /// An archive of entries that are not compressed.
  static byte[] zip(SequencedMap<String, byte[]> entries) {
    var bytes = new ByteArrayOutputStream();
    try (var zip = new ZipOutputStream(bytes)) {
      for (Map.Entry<String, byte[]> each : entries.entrySet()) {
        var crc = new CRC32();
        crc.update(each.getValue());
        var entry = new ZipEntry(each.getKey());
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(each.getValue().length);
        entry.setCrc(crc.getValue());
        entry.setTime(1L << 40);
        zip.putNextEntry(entry);
        zip.write(each.getValue());
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return bytes.toByteArray();
  }

  private static Layer net() {
    var options = new Architecture.Options(null, null, null, 2, 1);
    return Architecture.images("mlp", options).on(new ImageShape(1, 2, 2), 2).build(Init.zeros());
  }

  private static FileFormat zip() {
    String name = "weights.pth";
    byte[] pickle = dictionary(tensors());
    byte[] own = zip(pickle);
    return new FileFormat(
        "pth",
        Map.of(name, own),
        List.of(
            FileFormat.Way.of(name, Mutation.BYTES, own),
            FileFormat.Way.of(name, Mutation.BYTES, pickle).sealed(WeightFiles::zip)),
        FileFormat.Reading.of(folder -> check(folder.resolve(name))),
        List.of(
            hostile("a command beside", name, zip(dictionary(tensors(), text("x"), run())), null),
            hostile(
                "a command as a tensor",
                name,
                zip(
                    dictionary(
                        joined(
                            tensors(), text("x"), call("os.system", tensor("", 0, sizes(1), 1))))),
                "is made by 'os.system', which is not called"),
            hostile(
                "a command alone",
                name,
                zip(joined(ascii("\u0080\2"), run(), ascii("."))),
                "posix.system"),
            hostile("an instance", name, zip(ascii("(S'x'\nios\nsystem\n.")), "opcode 0x53"),
            hostile("an extension", name, zip(ascii("\u0080\2\u0082\1.")), "opcode 0x82")));
  }

  /// `posix.system("exit 1")`.
  private static byte[] run() {
    return call("posix.system", text("exit 1"));
  }

  private static FileFormat.Case hostile(
      String what, String name, byte[] content, @Nullable String refused) {
    return new FileFormat.Case(what, name, content, refused);
  }

  private static FileFormat legacy() {
    String name = "weights.th";
    byte[] own = legacy(dictionary(tensors()));
    byte[] pickle = dictionary(tensors());
    return new FileFormat(
        "th",
        Map.of(name, own),
        List.of(
            FileFormat.Way.of(name, Mutation.BYTES, own),
            FileFormat.Way.of(name, Mutation.BYTES, pickle).sealed(WeightFiles::legacy)),
        FileFormat.Reading.of(folder -> check(folder.resolve(name))),
        List.of(
            hostile(
                "a command beside", name, legacy(dictionary(tensors(), text("x"), run())), null),
            hostile(
                "a command first", name, joined(ascii("\u0080\2"), run(), ascii(".")), "magic")));
  }

  /// Reads a file as a net's weights, and looks for every number in the file itself.
  private static void check(Path file) throws IOException {
    byte[] content = Files.readAllBytes(file);
    Set<Integer> there = new HashSet<>();
    for (int at = 0; at + Integer.BYTES <= content.length; at++) {
      there.add(
          ByteBuffer.wrap(content, at, Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).getInt());
    }
    try (TensorFile stored = TensorFile.open(file);
        Arena arena = Arena.ofConfined()) {
      for (String name : stored.names()) {
        var tensor = stored.widened(name, arena);
        DataFiles.same(stored.shape(name), tensor.shape(), name);
        if (stored.type(name).equals("F32") && tensor.type() == DType.FLOAT32) {
          for (int bits : tensor.bytes().toArray(ValueLayout.JAVA_INT_UNALIGNED)) {
            DataFiles.same(true, there.contains(bits), name);
          }
        }
      }
      FittingNets.of(stored);
    }
    try (var _ = Scope.open()) {
      Weights.read(file, net());
    }
  }

  // ---- Folders

  private static byte[] part(String name, String shape, int numbers) {
    String header =
        "{\"%s\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":[0,%s]}}"
            .formatted(name, shape, 4 * numbers);
    return RunFiles.file(header.getBytes(StandardCharsets.UTF_8), new byte[4 * numbers]);
  }

  private static Map<String, byte[]> published() {
    return Map.of(
        INDEX,
        ascii(
            "{\"metadata\":{\"total_size\":48},\"weight_map\":{\"fc.weight\":\"model-1.safetensors\",\"fc.bias\":\"model-2.safetensors\"}}"),
        "model-1.safetensors",
        part("fc.weight", "[2,3]", 6),
        "model-2.safetensors",
        part("fc.bias", "[2]", 2),
        CONFIG,
        ascii(
            "{\"architecture\":\"resnet18\",\"num_classes\":2,\"label_names\":[\"cat\",\"dog\"],\"pretrained_cfg\":{\"input_size\":[3,64,64],\"mean\":[0.5,0.5,0.5],\"std\":[0.5,0.25,0.5],\"crop_pct\":0.875,\"interpolation\":\"bilinear\"}}"));
  }

  private static FileFormat folder() {
    Map<String, byte[]> files = published();
    byte[] index = files.getOrDefault(INDEX, new byte[0]);
    byte[] config = files.getOrDefault(CONFIG, new byte[0]);
    Mutation words =
        Mutation.text(
            "\"model-1.safetensors\"",
            "\"../x\"",
            "\"weight_map\"",
            "\"fc.bias\"",
            "0.95",
            "1.0",
            "\"bicubic\"",
            "\"lanczos\"",
            "1e300",
            "224");
    return new FileFormat(
        "published",
        files,
        List.of(FileFormat.Way.of(INDEX, words, index), FileFormat.Way.of(CONFIG, words, config)),
        FileFormat.Reading.of(folder -> {
          PublishedConfig.in(folder);
          try (TensorFile stored = TensorFile.open(folder);
              Arena arena = Arena.ofConfined()) {
            for (String name : stored.names()) {
              DataFiles.same(
                  stored.shape(name).elements() * 4,
                  stored.widened(name, arena).bytes().byteSize(),
                  name);
            }
          }
        }),
        List.of(
            new FileFormat.Case(
                "out of the folder",
                INDEX,
                ascii("{\"weight_map\":{\"a\":\"../../model-1.safetensors\"}}"),
                "a file of the same folder"),
            new FileFormat.Case(
                "a part is missing",
                INDEX,
                ascii("{\"weight_map\":{\"a\":\"model-3.safetensors\"}}"),
                "no such file"),
            new FileFormat.Case(
                "of another download",
                INDEX,
                ascii("{\"weight_map\":{\"fc.weight\":\"model-2.safetensors\"}}"),
                "'fc.weight' is needed"),
            new FileFormat.Case("a list", CONFIG, ascii("[]"), null),
            new FileFormat.Case(
                "no mean",
                CONFIG,
                ascii("{\"mean\":[1,\"x\",2],\"std\":[1,1,1]}"),
                "its mean: no list of numbers")));
  }

  // ---- ONNX

  private static byte[] bytes(Message message) {
    var out = new ByteArrayOutputStream();
    try {
      message.writeTo(out);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return out.toByteArray();
  }

  /// A tensor of some of the twelve numbers, raw or in the field of its type.
  private static Message initializer(String name, int field, int from, int... sizes) {
    var tensor = new Message();
    int count = 1;
    for (int size : sizes) {
      tensor.integer(1, size);
      count *= size;
    }
    byte[] some = Arrays.copyOfRange(numbers(), 4 * from, 4 * (from + count));
    return tensor.integer(2, 1).text(8, name).bytes(field, MemorySegment.ofArray(some));
  }

  private static Message graph(Message... more) {
    var graph =
        new Message()
            .message(1, new Message().text(4, "MatMul").text(1, "x"))
            .message(5, initializer("hidden1.weight", 9, 0, 2, 4))
            .message(5, initializer("norm1.weight", 4, 8, 2))
            .message(5, initializer("norm1.bias", 9, 4, 2))
            .message(5, initializer("linear.weight", 4, 0, 2, 2))
            .message(5, initializer("linear.bias", 9, 10, 2))
            .message(
                5,
                new Message()
                    .integer(1, 2)
                    .integer(2, 7)
                    .text(8, "shape")
                    .bytes(7, MemorySegment.ofArray(new byte[] {1, 4})));
    for (Message tensor : more) {
      graph.message(5, tensor);
    }
    return graph;
  }

  private static byte[] model(byte[] graph) {
    return bytes(
        new Message()
            .integer(1, 10)
            .text(2, "hand")
            .bytes(7, MemorySegment.ofArray(graph))
            .message(14, new Message().text(1, "note").text(2, "x")));
  }

  private static FileFormat onnx() {
    String name = "net.onnx";
    byte[] graph = bytes(graph());
    byte[] own = model(graph);
    return new FileFormat(
        "onnx",
        Map.of(name, own),
        List.of(
            FileFormat.Way.of(name, Mutation.BYTES, own),
            FileFormat.Way.of(name, Mutation.BYTES, graph).sealed(WeightFiles::model)),
        FileFormat.Reading.of(folder -> check(folder.resolve(name))),
        List.of(
            hostile(
                "numbers elsewhere",
                name,
                model(
                    bytes(
                        graph(
                            new Message()
                                .text(8, "x")
                                .integer(2, 1)
                                .message(
                                    13, new Message().text(1, "location").text(2, "/etc/passwd"))
                                .integer(14, 1)))),
                "external data"),
            hostile(
                "a size that is too large",
                name,
                model(
                    bytes(
                        graph(
                            new Message()
                                .text(8, "x")
                                .integer(2, 1)
                                .integer(1, 1L << 62)
                                .bytes(9, MemorySegment.ofArray(new byte[4]))))),
                "'x'"),
            hostile(
                "messages without end", name, model(new byte[] {0x2a, -1, -1, -1, 1}), "follow")));
  }
}
