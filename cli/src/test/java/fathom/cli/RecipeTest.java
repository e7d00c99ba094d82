package fathom.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.io.Json;
import fathom.run.PublishedRecipe;
import fathom.run.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/// Recipes by name, as a user calls them.
class RecipeTest {
  @TempDir private Path folder;

  private static final String BATCH = "batch: the paper states 128; this run has 64";

  private static List<String> abouts(JsonNode answer) {
    return StreamSupport.stream(answer.path("differences").spliterator(), false)
        .map(each -> each.path("about").asString())
        .toList();
  }

  /// The dry run, the training, its answer, its report and `run.json` say the same of it.
  @Test
  void aRunSaysWhereItDeviates() throws IOException {
    List<String> differences =
        List.of(
            "net", "data", "split", "augmentation", "batch", "GPUs", "iterations", "learning rate");
    String[] args = {
      "train",
      "resnet8",
      "--width",
      "2",
      "--data",
      "digits",
      "--recipe",
      "he2015-cifar",
      "--batch",
      "64",
      "--epochs",
      "1",
      "--workers",
      "1"
    };
    Cli dry = Cli.run(with(args, "--dry-run"));
    assertEquals(Exit.DONE, dry.code(), dry.err());
    assertTrue(dry.out().contains("recipe   he2015-cifar: He, Zhang, Ren and Sun"), dry.out());
    assertTrue(dry.out().contains("deviates " + BATCH), dry.out());
    Cli json = Cli.run(with(args, "--dry-run", "--json"));
    assertEquals(differences, abouts(Json.parse(json.out())), json.out());
    Path out = folder.resolve("run");
    Cli trained = Cli.run(with(args, "--out", out.toString(), "--json"));
    assertEquals(Exit.DONE, trained.code(), trained.err());
    assertTrue(trained.err().contains("section 4.2; this run deviates:"), trained.err());
    assertTrue(trained.err().contains("  " + BATCH), trained.err());
    assertEquals("he2015-cifar", Json.parse(trained.out()).path("recipe").asString());
    assertEquals(differences, abouts(Json.parse(trained.out())), trained.out());
    String report = Files.readString(out.resolve("report.html"));
    assertTrue(report.contains("This run does as it states but for the following."), "a table");
    assertTrue(report.contains("each batch on 2 GPUs"), "what the paper states");

    Cli other = Cli.run("train", "--resume", out.toString(), "--recipe", "fast");
    assertEquals(Exit.USAGE, other.code());
    assertTrue(
        other.err().contains("--recipe is he2015-cifar in it, but --recipe fast was given"),
        other.err());
    Cli further = Cli.run("train", "--resume", out.toString(), "--epochs", "2");
    assertEquals(Exit.DONE, further.code(), further.err());
    assertTrue(further.err().contains("  " + BATCH), further.err());
    assertEquals(PublishedRecipe.HE2015_CIFAR, Run.open(out).recipe().published());
  }

  private static String[] with(String[] args, String... more) {
    return Stream.concat(List.of(args).stream(), List.of(more).stream()).toArray(String[]::new);
  }

  /// Of an unnamed recipe nothing is said.
  @Test
  void theUsualRecipeHasNoName() {
    for (String[] more : new String[][] {{}, {"--recipe", "usual"}}) {
      Cli cli =
          Cli.run(
              with(new String[] {"train", "mlp", "--data", "digits", "--dry-run", "--json"}, more));
      assertEquals(Exit.DONE, cli.code(), cli.err());
      assertEquals("none", Json.parse(cli.out()).path("recipe").asString());
      assertEquals(List.of(), abouts(Json.parse(cli.out())));
    }
    Cli cli = Cli.run("train", "mlp", "--data", "digits", "--dry-run");
    assertFalse(cli.out().contains("deviates") || cli.out().contains("recipe"), cli.out());
  }

  /// 1437 images are 23 batches of 64, or 12 of 128.
  @ParameterizedTest
  @CsvSource({"64, 0.5, 12", "64, 2, 46", "128, 0.5, 6", "128, 0.1, 1"})
  void aWarmUpIsEpochsToTheNearestStep(String batch, String epochs, String steps) {
    Cli cli = warmedUp("--batch", batch, "--warm-up", epochs);
    assertTrue(cli.out().contains(", %s steps at a tenth before".formatted(steps)), cli.out());
  }

  /// The paper warms up a deep net until its training error is low; the option stands in its place.
  @Test
  void aWarmUpByOptionReplacesThatOfTheRecipe() {
    assertFalse(warmedUp("--warm-up", "0").out().contains("a tenth"), "none");
    String[] paper = {
      "train", "resnet110", "--width", "1", "--data", "digits", "--recipe", "he2015-cifar"
    };
    Cli cli = Cli.run(with(paper, "--warm-up", "1", "--dry-run"));
    assertEquals(Exit.DONE, cli.code(), cli.err());
    assertTrue(
        cli.out()
            .contains(
                "warm-up: the paper states 0.01 until the training error is below 80 %; this run has 0.01 for 11 iterations"),
        cli.out());
  }

  private static Cli warmedUp(String... more) {
    String[] args = {"train", "resnet8", "--width", "2", "--data", "digits", "--dry-run"};
    Cli cli = Cli.run(with(args, more));
    assertEquals(Exit.DONE, cli.code(), cli.err());
    return cli;
  }

  @Test
  void theFastRecipeIsOneCycle() {
    Cli cli =
        Cli.run(
            "train",
            "resnet8",
            "--width",
            "2",
            "--data",
            "digits",
            "--recipe",
            "fast",
            "--dry-run");
    assertEquals(Exit.DONE, cli.code(), cli.err());
    assertTrue(cli.out().contains("learning rate 0.15, in one cycle"), cli.out());
    assertFalse(cli.out().contains("deviates"), "grey images are not cropped: " + cli.out());
  }

  /// Grey has no colours to change.
  @Test
  void onlyColoursAreLit() {
    for (String[] command :
        new String[][] {
          {"train", "mlp", "--data", "digits", "--dry-run"},
          {"data", "info", "digits", "--sheet", folder.resolve("sheet.png").toString()}
        }) {
      Cli cli = Cli.run(with(command, "--lighting", "0.1"));
      assertEquals(Exit.USAGE, cli.code(), cli.err());
      assertTrue(cli.err().contains("--lighting changes red, green and blue"), cli.err());
    }
  }
}
