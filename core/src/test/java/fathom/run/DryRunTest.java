package fathom.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DeviceException;
import fathom.Tensor;
import fathom.data.Data;
import fathom.data.DataSet;
import fathom.net.Architecture;
import fathom.net.Norm;
import fathom.net.Shortcut;
import fathom.train.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DryRunTest {
  private static final DataSet DIGITS = DataSet.open("digits");

  @TempDir private Path folder;

  private static Recipe recipe(int batch, int recompute) {
    Architecture net =
        Architecture.images(
            "resnet32", new Architecture.Options(Shortcut.A, Norm.BATCH, 8, null, null));
    return Recipe.usual(net, DIGITS, 1, 1)
        .withEpochs(3)
        .withBatch(batch)
        .withValidation(100)
        .executed(e -> e.withRecompute(recompute));
  }

  /// With a worker alone the bytes of a batch are exact: what a row needs, for each row. Computed
  /// again, blocks need less.
  @Test
  void memoryIsCountedAndGrowsWithTheBatch() {
    long before = Tensor.live();
    double unlimited = Double.POSITIVE_INFINITY;
    long begun = System.nanoTime();
    DryRun.Estimate many = DryRun.of(recipe(64, 0), DIGITS, unlimited);
    double taken = (System.nanoTime() - begun) / 1e9;
    DryRun.Estimate brief = DryRun.of(recipe(64, 0), DIGITS, 0);
    DryRun.Estimate again = DryRun.of(recipe(64, 4), DIGITS, unlimited);
    assertEquals(before, Tensor.live(), "nothing is left");
    assertEquals(64, many.tried());
    assertEquals(2, brief.tried(), "there was time for no more");
    // What is there once, whatever the batch, is counted for each row of the two that were tried: a
    // gradient of a weight and its filters turned for the way back, of 32 to 32 channels at most.
    double once = 2 * (brief.batchBytes() - many.batchBytes()) / 64.0;
    double largest = 4.0 * 9 * 32 * 32;
    assertTrue(once >= 0 && once <= 2 * largest, "%s bytes are there once".formatted(once));
    // Of a stage of 5 blocks 2 arguments and the 4 tensors of 4 blocks remain, not of 5.
    double share = (double) again.batchBytes() / many.batchBytes();
    assertTrue(share > 0.1 && share < 0.8, "share " + share);
    assertEquals(4 * many.parameters() * 3, many.weightBytes(), "values, gradients, velocity");
    assertEquals(3 * 21, many.steps(), "1337 images in batches of 64");
    double perEpoch = 1337 + 100 / 3.0;
    double end = (1337 + 360) / 3.0;
    double steps = (3 * perEpoch + end) / many.examplesPerSecond();
    assertTrue(many.seconds() > steps, "it warms up, too");
    assertTrue(many.seconds() < steps + taken + 1, "for no longer than it did here");
    assertTrue(many.low() <= many.seconds() && many.seconds() <= many.high(), many.toString());
    assertTrue(many.low() > 1, "something is around the steps");
  }

  /// What is counted before there is a net is never more than what a step was seen to take, and of
  /// images no less than a tenth of it.
  @ParameterizedTest
  @CsvSource({
    "resnet8, BATCH, FP32",
    "plain8, LAYER, FP32",
    "resnet8, GROUP, FP32",
    "resnet8, NONE, FP32",
    "resnet8, WEIGHT, FP32",
    "resnet8, BATCH, BF16",
    "mlp, LAYER, FP32"
  })
  void theLeastMemoryIsNoMoreThanWhatIsTaken(String model, Norm norm, Precision precision) {
    Architecture net =
        Architecture.images(
            model,
            new Architecture.Options(
                model.startsWith("resnet") ? Shortcut.A : null,
                norm,
                model.equals("mlp") ? null : 8,
                null,
                null));
    Recipe recipe =
        Recipe.usual(net, DIGITS, 1, 1).withBatch(64).executed(e -> e.withPrecision(precision));
    DryRun.Estimate seen = DryRun.of(recipe, DIGITS, Double.POSITIVE_INFINITY);
    LeastMemory least = LeastMemory.of(Run.unwritten(recipe, DIGITS));
    assertEquals(seen.weightBytes(), least.weights());
    assertTrue(least.batch() <= seen.batchBytes(), least + " and " + seen);
    assertTrue(10 * least.batch() >= seen.batchBytes(), least + " and " + seen);
    if (!model.equals("mlp")) { // which has no blocks
      Recipe again = recipe.executed(e -> e.withRecompute(1));
      assertEquals(0, LeastMemory.of(Run.unwritten(again, DIGITS)).batch());
    }
  }

  /// A net of 1202 layers, 256 times as large as usual, has no room anywhere yet.
  @Test
  void whatDoesNotFitIsRefusedBeforeAnythingIsWritten() {
    Architecture net =
        Architecture.images(
            "resnet1202", new Architecture.Options(Shortcut.A, Norm.BATCH, 4096, null, null));
    Recipe recipe = Recipe.usual(net, DIGITS, 1, 1);
    Path run = folder.resolve("run");
    var e = assertThrows(DeviceException.class, () -> Run.create(run, recipe, DIGITS));
    assertTrue(e.getMessage().contains("resnet1202 does not fit"), e.getMessage());
    assertTrue(e.getMessage().contains("--recompute auto"), e.getMessage());
    assertFalse(Files.exists(run));
  }

  @Test
  void aTextIsRehearsedToo() throws IOException {
    Path file = folder.resolve("text.txt");
    Files.writeString(file, "to be or not to be, ".repeat(200));
    Data text = Data.open("text:" + file);
    Architecture net = Architecture.text("gru", new Architecture.Options(null, null, null, 16, 1));
    Recipe recipe = Recipe.usual(net, text, 1, 2).withBatch(4).withWindow(20);
    DryRun.Estimate estimate = DryRun.of(recipe, text, Double.POSITIVE_INFINITY);
    assertEquals(4, estimate.tried());
    assertEquals(
        4 * estimate.parameters() * (1 + 2 + 2), estimate.weightBytes(), "Adam has two blocks");
    assertTrue(estimate.batchBytes() > 0 && estimate.seconds() > 0);
    assertEquals(
        new LeastMemory(estimate.weightBytes(), 0), LeastMemory.of(Run.unwritten(recipe, text)));
    assertThrows(IllegalArgumentException.class, () -> DryRun.of(recipe.withBatch(1000), text));
  }
}
