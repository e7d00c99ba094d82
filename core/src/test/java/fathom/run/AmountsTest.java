package fathom.run;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.data.Data;
import fathom.data.DataSet;
import fathom.data.Images;
import fathom.data.Text;
import fathom.net.Architecture;
import fathom.net.Norm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AmountsTest {
  @TempDir Path dir;

  private static DataSet images(int count, int side) {
    return new DataSet("some", List.of("a", "b"), some(count, side), some(4, side));
  }

  private static Images some(int count, int side) {
    return new Images(
        1,
        side,
        side,
        new byte[count * side * side],
        IntStream.range(0, count).map(i -> i % 2).toArray());
  }

  private static Architecture.Options options(@Nullable Norm norm, @Nullable Integer hidden) {
    return new Architecture.Options(null, norm, null, hidden, null);
  }

  private static Recipe recipe(String model, Architecture.Options options, Data data) {
    return Recipe.usual(Architecture.images(model, options), data, 1, 2);
  }

  private static String refused(Recipe recipe, Data data) {
    return String.valueOf(
        assertThrows(IllegalArgumentException.class, () -> recipe.check(data)).getMessage());
  }

  // ---- Batches of images

  /// Whatever the family, a batch is as large as usual, or as there are images.
  @ParameterizedTest
  @CsvSource({"resnet8, 64", "plain20, 64", "mlp, 128", "ln-lstm, 128", "rnn, 128"})
  void theUsualBatchFitsSmallData(String model, int usual) {
    for (int count : new int[] {1, 2, 16, usual - 1, usual, usual + 2, 500}) {
      DataSet data = images(count, 8);
      Recipe recipe = recipe(model, Architecture.Options.NONE, data);
      Recipe fits = recipe.fitted(data, true, false);
      assertEquals(Math.min(usual, count), fits.batch(), model + " of " + count);
      assertDoesNotThrow(() -> fits.check(data));
      if (count > 2) {
        Recipe kept = recipe.withValidation(count / 2).fitted(data, true, false);
        assertEquals(Math.min(usual, count - count / 2), kept.batch(), "half of them are kept");
        assertDoesNotThrow(() -> kept.check(data));
      }
    }
  }

  @Test
  void aBatchThatWasGivenIsRefusedWithBothNumbers() {
    DataSet data = images(16, 8);
    Recipe given = recipe("resnet8", Architecture.Options.NONE, data).withBatch(40);
    String message = refused(given, data);
    assertTrue(message.contains("a batch of 40 images") && message.contains("at most 16"), message);
    assertEquals(7, given.withBatch(7).fitted(data, true, false).batch(), "a smaller one stays");
  }

  // ---- Single values

  /// Of 4×4 pixels the last stage of a net of CIFAR's family has 1×1.
  @Test
  void batchNormOverOneValueIsRefusedByItsPath() {
    DataSet data = images(16, 4);
    Recipe recipe = recipe("resnet8", Architecture.Options.NONE, data);
    String message = refused(recipe.withBatch(1), data);
    assertTrue(message.contains("the norm at layer3.0.bn1"), message);
    assertTrue(message.contains("a batch has 1 image of 1×1 pixels"), message);
    assertTrue(message.contains("another `batch`, another `norm` or larger images"), message);
    assertDoesNotThrow(() -> recipe.withBatch(2).check(data));
    DataSet larger = images(16, 8);
    assertDoesNotThrow(() -> recipe.withBatch(1).check(larger), "4 pixels are 4 values");
    for (Norm norm : List.of(Norm.LAYER, Norm.POSITION, Norm.RMS, Norm.GROUP, Norm.WEIGHT)) {
      assertDoesNotThrow(
          () -> recipe("resnet8", options(norm, null), data).withBatch(1).check(data),
          norm.toString());
    }
  }

  @Test
  void aLastBatchOfOneIsRefusedAndTheUsualBatchAvoidsIt() {
    DataSet data = images(65, 4);
    Recipe usual = recipe("resnet8", Architecture.Options.NONE, data);
    String message = refused(usual, data);
    assertTrue(
        message.contains("the last batch of an epoch, of 65 images in batches of 64"), message);
    assertEquals(63, usual.fitted(data, true, false).batch());
    assertDoesNotThrow(() -> usual.fitted(data, true, false).check(data));
    DataSet larger = images(65, 8);
    assertEquals(64, usual.fitted(larger, true, false).batch(), "with more pixels it is no matter");
    DataSet kept = images(70, 4);
    assertEquals(
        63, usual.withValidation(5).fitted(kept, true, false).batch(), "of 65 that are left");
    DataSet one = images(1, 4);
    assertTrue(refused(usual.fitted(one, true, false), one).contains("give more images"));
  }

  @Test
  void aShareOfOneIsRefusedWithStatisticsOfShards() {
    DataSet data = images(16, 4);
    Recipe recipe =
        recipe("resnet8", Architecture.Options.NONE, data)
            .executed(e -> e.withWorkers(2))
            .executed(e -> e.withShardStatistics(true));
    for (int batch : new int[] {2, 7, 14}) { // of 7 and 14 the last has 2
      String message = refused(recipe.withBatch(batch), data);
      assertTrue(message.contains("in batches of %s over 2 workers".formatted(batch)), message);
      assertTrue(message.contains("`shardStatistics`"), message);
      assertDoesNotThrow(
          () -> recipe.withBatch(batch).executed(e -> e.withShardStatistics(false)).check(data));
    }
    assertDoesNotThrow(() -> recipe.withBatch(4).check(data));
    assertDoesNotThrow(() -> recipe.withBatch(6).check(data), "the last has 4");
    DataSet odd = images(18, 4);
    assertEquals(18, recipe.fitted(odd, true, false).batch());
    assertEquals(7, recipe.withBatch(8).fitted(odd, true, false).batch(), "8 leaves two over");
  }

  @Test
  void normsWhoseValuesAreAloneInEveryImageAreRefused() {
    DataSet data = images(16, 4);
    String instance =
        refused(recipe("resnet8", options(Norm.INSTANCE, null), data).withBatch(8), data);
    assertTrue(instance.contains("the norm at layer3.0.bn1"), instance);
    assertTrue(instance.contains("1 channel of 1×1 pixels"), instance);
    DataSet larger = images(16, 8);
    assertDoesNotThrow(
        () -> recipe("resnet8", options(Norm.INSTANCE, null), larger).withBatch(8).check(larger));
    for (Norm norm : List.of(Norm.LAYER, Norm.POSITION, Norm.RMS)) {
      String one = refused(recipe("mlp", options(norm, 1), data).withBatch(8), data);
      assertTrue(one.contains("1 feature") && one.contains("a wider net"), one);
      assertDoesNotThrow(() -> recipe("mlp", options(norm, 2), data).withBatch(8).check(data));
    }
    String rows = refused(recipe("mlp", options(Norm.BATCH, null), data).withBatch(1), data);
    assertTrue(rows.contains("a batch has 1 image, so"), rows);
    assertTrue(rows.endsWith("another `batch`, or another `norm`"), rows);
    String units = refused(recipe("ln-gru", options(null, 1), data).withBatch(8), data);
    assertTrue(units.contains("a larger `hidden`"), units);
    assertDoesNotThrow(() -> recipe("gru", options(null, 1), data).withBatch(8).check(data));
  }

  // ---- Streams of a text

  private Text text(int trained) throws IOException {
    int length = Math.max(20, trained);
    while (length - length / 10 < trained) {
      length++;
    }
    String spec =
        "text:" + Files.writeString(dir.resolve("t.txt"), "ab".repeat(length).substring(0, length));
    return Text.open(spec);
  }

  private static Recipe text(String model, Text text) {
    return Recipe.usual(Architecture.text(model, Architecture.Options.NONE), text, 1, 2);
  }

  @ParameterizedTest
  @ValueSource(strings = {"lstm", "ln-gru", "transformer"})
  void theUsualStreamsAndWindowsFitAShortText(String model) throws IOException {
    for (int trained : new int[] {18, 99, 100, 101, 102, 201, 202, 450, 3231, 3232, 3240, 9000}) {
      Text text = text(trained);
      Recipe usual = text(model, text);
      Recipe fits = usual.fitted(text, true, false).fitted(text, false, true);
      assertDoesNotThrow(() -> fits.check(text), model + " of " + trained);
      assertEquals(Math.clamp(trained / 101, 1, 32), fits.batch(), "streams of " + trained);
      assertEquals(Math.min(100, trained / fits.batch() - 1), fits.window());
    }
  }

  @Test
  void whatWasGivenOfATextStays() throws IOException {
    Text text = text(450);
    Recipe recipe = text("lstm", text);
    Recipe window = recipe.withWindow(20).fitted(text, true, false);
    assertEquals(21, window.batch());
    assertDoesNotThrow(() -> window.check(text));
    Recipe streams = recipe.withBatch(30).fitted(text, false, true);
    assertEquals(14, streams.window());
    assertDoesNotThrow(() -> streams.check(text));
    String both = refused(recipe.withBatch(30).withWindow(20), text);
    assertTrue(both.contains("need a training text of 630 characters"), both);
    Recipe one =
        Recipe.usual(Architecture.text("transformer", options(null, 1)), text, 1, 1)
            .fitted(text, true, false)
            .fitted(text, false, true);
    assertTrue(refused(one, text).contains("a larger `hidden`"));
  }
}
