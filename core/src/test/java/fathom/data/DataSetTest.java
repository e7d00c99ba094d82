package fathom.data;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.io.BadFileException;
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
    "mnist,mnist",
    "MNIST,mnist",
    "fashion-mnist,fashion-mnist",
    "fashion_mnist,fashion-mnist",
    "cifar10,cifar10",
    "CIFAR-10,cifar10",
    "cifar100,cifar100"
  })
  void wellKnownNamesSayHowToGetThem(String spec, String name) {
    assertTrue(usage(spec).contains("fathom data get " + name + " "), usage(spec));
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
