package fathom.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import fathom.io.StoredTensor;
import fathom.io.TensorFile;
import fathom.io.TorchFile;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/// The nets that akamaster published have the figures of PyTorch 2.13 on the same 10,000 images, in
/// every format: as published, saved again for PyTorch, and as safetensors. Needs the weights and
/// the images beside the checkout, and for the formats that are not the published one, whose
/// tensors [fathom.train.WeightNamesTest] compares bit for bit, `-Dfathom.long=true`.
class PublishedWeightsTest {
  @TempDir private static Path folder;

  /// Null if the images are not here.
  private static @Nullable Path images;

  private static Path data() {
    return Path.of(System.getProperty("fathom.root", ".")).resolve("../shared/data").normalize();
  }

  @BeforeAll
  static void unpackTestImages() throws Exception {
    Path archive = data().resolve("cifar10-jpeg.tar.gz");
    if (Files.exists(archive)) {
      var tar =
          new ProcessBuilder("tar", "xzf", archive.toString(), "-C", folder.toString(), "test");
      assertEquals(0, tar.inheritIO().start().waitFor(), "tar");
      try (var classes = Files.list(folder.resolve("test"))) {
        for (Path each : classes.toList()) { // a data set has training images, which eval leaves
          Path train = folder.resolve("train").resolve(each.getFileName());
          Files.createDirectories(train);
          Files.copy(each.resolve("0000.jpg"), train.resolve("0000.jpg"));
        }
      }
      images = folder;
    }
  }

  @ParameterizedTest
  @CsvSource({
    "resnet20, .th, 1897, 0.8788",
    "resnet20, .pth, 1897, 0.8788",
    "resnet20, .safetensors, 1897, 0.8788",
    "resnet32, .th, 1744, 0.9227",
    "resnet32, .pth, 1744, 0.9227",
    "resnet32, .safetensors, 1744, 0.9227",
  })
  void theFiguresAreThoseOfPyTorch(String model, String form, int wrong, String crossEntropy) {
    assumeTrue(images != null, "the published weights and CIFAR-10 are not in " + data());
    assumeTrue(
        form.equals(".th") || Boolean.getBoolean("fathom.long"), "./check --long evaluates this");
    Path file = form.equals(".pth") ? savedAgain(model) : data().resolve(model + form);
    Cli cli =
        Cli.run(
            "eval",
            file.toString(),
            "--model",
            model,
            "--data",
            "images:" + images,
            "--mean",
            "0.485,0.456,0.406",
            "--std",
            "0.229,0.224,0.225",
            "--json");
    assertEquals(Exit.DONE, cli.code(), cli.err());
    JsonNode answer = cli.json();
    assertEquals(10_000, answer.path("count").asInt(), cli.out());
    assertEquals(wrong, Math.round(100 * answer.path("error").asDouble()), cli.out());
    assertEquals(
        crossEntropy,
        String.format(Locale.ROOT, "%.4f", answer.path("crossEntropy").asDouble()),
        cli.out());
  }

  /// The published legacy file, in the zip form.
  private static Path savedAgain(String model) {
    Path to = folder.resolve(model + ".pth");
    try (TensorFile legacy = TensorFile.open(data().resolve(model + ".th"));
        Arena arena = Arena.ofConfined()) {
      SequencedMap<String, StoredTensor> tensors = new LinkedHashMap<>();
      legacy.names().forEach(name -> tensors.put(name, legacy.widened(name, arena)));
      TorchFile.write(to, tensors);
    }
    return to;
  }
}
