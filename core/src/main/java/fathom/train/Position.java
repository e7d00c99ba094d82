package fathom.train;

import fathom.io.BadFileException;
import fathom.io.SafeTensors;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// The position of a training, stored as texts in its checkpoint.
///
/// @param step the number of steps that have been made
/// @param seconds the time that they took
/// @param sums the sums over the examples that the current epoch has seen so far: of the losses,
///   under "loss", and of what the task counts. At the end of an epoch they are over the whole
///   epoch
/// @param examples the number of these examples; -1 in a checkpoint of a version that did not store
///   it
/// @param examplesPerSecond the throughput of the epoch so far. It is 0 in a checkpoint of a
///   version that wrote it after the evaluation of an epoch, with sums of 0
public record Position(
    long step,
    double seconds,
    SequencedMap<String, Double> sums,
    long examples,
    double examplesPerSecond) {
  private static final String PREFIX = "fathom.";
  private static final String STEP = PREFIX + "step";
  private static final String SECONDS = PREFIX + "seconds";
  private static final String SUM = "Sum";
  private static final String EXAMPLES = "epoch.examples";
  private static final String SPEED = "epoch.examplesPerSecond";

  SequencedMap<String, String> texts() {
    var texts = new LinkedHashMap<String, String>();
    texts.put(STEP, Long.toString(step));
    texts.put(SECONDS, Double.toString(seconds));
    sums.forEach((name, sum) -> texts.put(PREFIX + name + SUM, Double.toString(sum)));
    texts.put(EXAMPLES, Long.toString(examples));
    texts.put(SPEED, Double.toString(examplesPerSecond));
    return texts;
  }

  /// Reads the position from a checkpoint. `summed` are the names that the training sums up; a
  /// checkpoint that lacks one of them is of another training, and [BadFileException] is thrown.
  static Position read(Path file, List<String> summed) {
    Map<String, String> texts = texts(file);
    var sums = new LinkedHashMap<String, Double>();
    summed.forEach(name -> sums.put(name, number(file, texts, PREFIX + name + SUM)));
    return new Position(
        whole(file, texts, STEP, "steps"),
        number(file, texts, SECONDS),
        sums,
        texts.containsKey(EXAMPLES) ? whole(file, texts, EXAMPLES, "examples") : -1,
        texts.containsKey(SPEED) ? number(file, texts, SPEED) : 0);
  }

  /// Returns the number of steps that had been made. Throws [BadFileException] if the file is no
  /// checkpoint of a run.
  public static long step(Path file) {
    return whole(file, texts(file), STEP, "steps");
  }

  private static long whole(Path file, Map<String, String> texts, String key, String counted) {
    double number = number(file, texts, key);
    if (number != Math.rint(number) || number > Long.MAX_VALUE) {
      throw new BadFileException(
          file, "%s counts %s, but is \"%s\"".formatted(key, counted, texts.get(key)));
    }
    return (long) number;
  }

  private static Map<String, String> texts(Path file) {
    try (var stored = SafeTensors.open(file)) {
      return stored.metadata();
    }
  }

  private static double number(Path file, Map<String, String> texts, String key) {
    String text = texts.get(key);
    if (text == null) {
      throw new BadFileException(
          file,
          "a run's checkpoint has the entry %s, but this file does not; is it of a run?"
              .formatted(key));
    }
    double number;
    try {
      number = Double.parseDouble(text);
    } catch (NumberFormatException _) {
      number = Double.NaN;
    }
    if (!(number >= 0 && number < Double.POSITIVE_INFINITY)) {
      throw new BadFileException(
          file, "%s is a number of 0 or more, but is \"%s\"".formatted(key, text));
    }
    return number;
  }
}
