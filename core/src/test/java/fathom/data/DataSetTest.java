package fathom.data;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.BadFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DataSetTest {
  @TempDir Path dir;

  private static String usage(String spec) {
    return String.valueOf(
        assertThrows(IllegalArgumentException.class, () -> DataSet.open(spec)).getMessage());
  }

  private static String bad(String spec) {
    return String.valueOf(
        assertThrows(BadFileException.class, () -> DataSet.open(spec)).getMessage());
  }

  @ParameterizedTest
  @ValueSource(strings = {"digit", "Digits", "DIGITS", "digts", "dgiits", "digits2"})
  void nearMissesOfDigitsAreAnswered(String spec) {
    assertTrue(usage(spec).contains("did you mean digits?"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", "nonsense", "images:", "imagenet", "a\0b"})
  void otherNamesAreToldWhatThereIs(String spec) {
    String message = usage(spec);
    assertTrue(message.contains("digits  ") && message.contains("images:DIR"), message);
    assertFalse(message.contains("did you mean"), message);
  }

  @ParameterizedTest
  @CsvSource({
    "mnist,mnist-data",
    "MNIST,mnist-data",
    "fashion-mnist,/usr/share/datasets/fashion-mnist",
    "fashion_mnist,/usr/share/datasets/fashion-mnist",
    "cifar10,data_batch_1.bin",
    "CIFAR-10,data_batch_1.bin",
    "cifar100,train/CLASS/*.png"
  })
  void wellKnownNamesSayWhereToGetThem(String spec, String where) {
    assertTrue(usage(spec).contains(where));
  }

  @Test
  void missingOrWrongPathsAreBadFiles() throws IOException {
    assertTrue(bad(dir + "/none").contains("no such folder"));
    assertTrue(bad("./none").contains("no such folder"));
    assertTrue(bad("images:none").contains("no such folder"));
    Path file = Files.writeString(dir.resolve("file.png"), "x");
    assertTrue(bad(file.toString()).contains("a data set is a folder"));
    assertTrue(bad("images:" + file).contains("a data set is a folder"));
    assertTrue(bad(dir.toString()).contains("a folder per class was expected"));
  }
}
