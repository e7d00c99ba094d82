package fathom.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.Tensor;
import fathom.data.Data;
import fathom.data.DataSet;
import fathom.net.Architecture;
import fathom.net.Norm;
import fathom.net.Shortcut;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RehearsalTest {
  private static final DataSet DIGITS = DataSet.open("digits");

  @TempDir private Path folder;

  private static Recipe recipe(int batch, int recompute) {
    Architecture net =
        Architecture.pictures(
            "resnet32", new Architecture.Options(Shortcut.A, Norm.BATCH, 8, null, null));
    return Recipe.fast(net, DIGITS, 1, 1)
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
    Rehearsal.Estimate many = Rehearsal.of(recipe(64, 0), DIGITS, unlimited);
    double taken = (System.nanoTime() - begun) / 1e9;
    Rehearsal.Estimate brief = Rehearsal.of(recipe(64, 0), DIGITS, 0);
    Rehearsal.Estimate again = Rehearsal.of(recipe(64, 4), DIGITS, unlimited);
    assertEquals(before, Tensor.live(), "nothing is left");
    assertEquals(64, many.tried());
    assertEquals(2, brief.tried(), "there was time for no more");
    // What is there once, whatever the batch, is counted for each row.
    assertEquals(1.1, (double) brief.batchBytes() / many.batchBytes(), 0.1, "carried on");
    // Of a stage of 5 blocks 2 arguments and the 4 tensors of 4 blocks remain, not of 5.
    double share = (double) again.batchBytes() / many.batchBytes();
    assertTrue(share > 0.1 && share < 0.8, "share " + share);
    assertEquals(4 * many.parameters() * 3, many.weightBytes(), "values, gradients, velocity");
    assertEquals(3 * 21, many.steps(), "1337 pictures in batches of 64");
    double perEpoch = 1337 + 100 / 3.0;
    double end = (1337 + 360) / 3.0;
    double steps = (3 * perEpoch + end) / many.examplesPerSecond();
    assertTrue(many.seconds() > steps, "it warms up, too");
    assertTrue(many.seconds() < steps + taken, "for no longer than it did here");
  }

  @Test
  void aTextIsRehearsedToo() throws IOException {
    Path file = folder.resolve("text.txt");
    Files.writeString(file, "to be or not to be, ".repeat(200));
    Data text = Data.open("text:" + file);
    Architecture net = Architecture.text("gru", new Architecture.Options(null, null, null, 16, 1));
    Recipe recipe = Recipe.fast(net, text, 1, 2).withBatch(4).withWindow(20);
    Rehearsal.Estimate estimate = Rehearsal.of(recipe, text, Double.POSITIVE_INFINITY);
    assertEquals(4, estimate.tried());
    assertEquals(
        4 * estimate.parameters() * (1 + 2 + 2), estimate.weightBytes(), "Adam has two blocks");
    assertTrue(estimate.batchBytes() > 0 && estimate.seconds() > 0);
    assertThrows(IllegalArgumentException.class, () -> Rehearsal.of(recipe.withBatch(1000), text));
  }
}
