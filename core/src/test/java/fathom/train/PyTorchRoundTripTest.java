package fathom.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import fathom.Node;
import fathom.Param;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.io.StoredTensor;
import fathom.io.TensorFile;
import fathom.net.Architecture;
import fathom.net.ImageShape;
import fathom.net.Norm;
import fathom.nn.Init;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Weights that go from Fathom to PyTorch and back are the same bits, whichever forms they have on
/// the way. Needs an environment with torch and safetensors, which `FATHOM_PEERS` names, and the
/// script `bench/peers/files.py`.
class PyTorchRoundTripTest {
  private static final List<String> FORMS = List.of(".pt", ".pth", ".safetensors");

  @TempDir private Path folder;

  private static Map<String, Function<Init, Node>> nets() {
    var nets = new LinkedHashMap<String, Function<Init, Node>>();
    for (String name : List.of("resnet20", "preresnet11", "resnet18", "resnet50d")) {
      Architecture.Convolutional net =
          Architecture.Convolutional.named(name).withWidth(4).on(new ImageShape(3, 32, 32), 7);
      nets.put(name, net::build);
    }
    nets.put(
        "resnetv2_50x1", Architecture.Convolutional.named("resnetv2_50x1").withWidth(32)::build);
    nets.put(
        "weight norm", Architecture.Convolutional.named("resnet8").withNorm(Norm.WEIGHT)::build);
    var small = new Architecture.Options(null, null, null, 8, 2);
    nets.put("mlp", Architecture.images("mlp", small)::build);
    nets.put("ln-lstm", Architecture.text("ln-lstm", small)::build);
    nets.put("transformer", Architecture.text("transformer", small)::build);
    nets.put("masknet", Architecture.masks("masknet", Architecture.Options.NONE)::build);
    return nets;
  }

  @Test
  void thereAndBackIsBitEqual() throws Exception {
    String home = System.getenv("FATHOM_PEERS");
    assumeTrue(home != null, "FATHOM_PEERS names no Python with torch and safetensors");
    Path there = Files.createDirectory(folder.resolve("there"));
    Path back = folder.resolve("back");
    int files = 0;
    int compared = 0;
    try (var _ = Scope.open()) {
      var made = new LinkedHashMap<String, Node>();
      nets()
          .forEach((name, build) -> {
            Node net = build.apply(Init.he(3));
            net.state().values().forEach(PyTorchRoundTripTest::fill);
            made.put(name, net);
            write(there.resolve(name + ".pt"), net);
            write(there.resolve(name + ".safetensors"), net);
          });
      throughTorch(home, there, back);
      for (var each : made.entrySet()) {
        for (String form : List.of(".pt", ".safetensors")) {
          byte[] first = Files.readAllBytes(there.resolve(each.getKey() + form));
          for (String last : FORMS) {
            Path returned = back.resolve(each.getKey() + form + last);
            compared += compare(Weights.stored(each.getValue()), returned);
            files++;
            Node read = nets().get(each.getKey()).apply(Init.zeros());
            Weights.read(returned, read);
            Path again = folder.resolve("again" + form);
            write(again, read);
            assertArrayEquals(first, Files.readAllBytes(again), returned.toString());
          }
        }
      }
    }
    System.out.println(compared + " tensors compared in " + files + " files, all equal");
  }

  private static void write(Path file, Node net) {
    if (file.toString().endsWith(".pt")) {
      Weights.writeForTorch(file, net);
    } else {
      Weights.write(file, net, Map.of());
    }
  }

  /// Running statistics and biases too, which are not zero and one in every bit.
  private static void fill(Param param) {
    Tensor value = param.value();
    long[] shape = value.shape().toArray();
    value.copy_(Tensor.normal(RandomKey.of(9, value.shape().toString()), value.type(), shape));
  }

  private static void throughTorch(String home, Path there, Path back) throws Exception {
    String script = System.getProperty("fathom.root", ".") + "/bench/peers/files.py";
    Process process =
        new ProcessBuilder(
                Path.of(home, "bin", "python").toString(),
                script,
                "--again",
                there.toString(),
                back.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), said);
  }

  private static int compare(SequencedMap<String, StoredTensor> own, Path file) {
    String what = file.getFileName().toString();
    try (TensorFile back = TensorFile.open(file);
        Arena arena = Arena.ofConfined()) {
      assertEquals(own.size(), back.names().size(), what);
      own.forEach((name, tensor) -> {
        StoredTensor found = back.widened(name, arena);
        assertEquals(tensor.type(), found.type(), what + ": " + name);
        assertEquals(tensor.shape(), found.shape(), what + ": " + name);
        assertArrayEquals(
            tensor.bytes().toArray(ValueLayout.JAVA_BYTE),
            found.bytes().toArray(ValueLayout.JAVA_BYTE),
            what + ": " + name);
      });
      return own.size();
    }
  }
}
