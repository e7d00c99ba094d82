package fathom.io;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;

/// Files that PyTorch and safetensors wrote, with every type, view and wrapper, are read as NumPy
/// has them, bit for bit. `bench/peers/files.py --fixtures` writes them.
class PyTorchFilesTest {
  private static Path folder() throws URISyntaxException {
    return Path.of(
            Objects.requireNonNull(PyTorchFilesTest.class.getResource("torch/expected.json"))
                .toURI())
        .getParent();
  }

  @TestFactory
  Stream<DynamicTest> everyFileIsReadBitForBit() throws Exception {
    Path folder = folder();
    JsonNode files = Json.parse(Files.readString(folder.resolve("expected.json")));
    try (var there = Files.list(folder)) {
      assertEquals(
          new TreeSet<>(files.propertyNames()),
          there
              .map(file -> file.getFileName().toString())
              .filter(name -> !name.equals("expected.json"))
              .collect(Collectors.toCollection(TreeSet::new)));
    }
    return files
        .propertyStream()
        .map(file ->
            DynamicTest.dynamicTest(
                file.getKey(), () -> assertRead(folder.resolve(file.getKey()), file.getValue())));
  }

  private static void assertRead(Path file, JsonNode expected) {
    var right = new TreeMap<String, List<Object>>();
    expected
        .propertyStream()
        .forEach(tensor -> {
          JsonNode said = tensor.getValue();
          List<Object> shape = new ArrayList<>();
          said.path(1).forEach(size -> shape.add(size.asLong()));
          right.put(
              tensor.getKey(), List.of(said.path(0).asString(), shape, said.path(2).asString()));
        });
    var found = new TreeMap<String, List<Object>>();
    try (TensorFile stored = TensorFile.open(file);
        Arena arena = Arena.ofConfined()) {
      for (String name : stored.names()) {
        StoredTensor tensor = stored.widened(name, arena);
        List<Object> shape = new ArrayList<>();
        for (long size : tensor.shape().toArray()) {
          shape.add(size);
        }
        byte[] bytes = tensor.bytes().toArray(ValueLayout.JAVA_BYTE);
        found.put(
            StateDictionary.plain(name),
            List.of(tensor.type().name(), shape, HexFormat.of().formatHex(bytes)));
      }
    }
    assertEquals(right, found);
  }
}
