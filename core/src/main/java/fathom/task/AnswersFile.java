package fathom.task;

import fathom.io.AtomicFile;
import fathom.io.Json;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// [Answers] as a JSON file. The file is written and read number by number, because a tree of JSON
/// nodes takes many times the memory of its content.
///
/// `confusions` has a list `[truth, prediction, times]` for each pair of classes that occurred.
/// With at most [Confusion#MOST_IN_A_TABLE] classes, `counts` holds the same as a table with a row
/// for each true class. Files of earlier versions have `counts` alone, whatever the number of
/// classes. `calibration` and `scaling` are left out where there are none.
public final class AnswersFile {
  private final int expected;
  private long step = -1;
  private int classes = -1;
  private @Nullable List<Confusion.Pair> sparse;
  private @Nullable Confusion table;
  private @Nullable List<Answers.Mistake> worst;
  private @Nullable Calibration calibration;
  private @Nullable TemperatureScaling scaling;

  private AnswersFile(int expected) {
    this.expected = expected;
  }

  /// Returns the path of the answers in the folder of a run.
  public static Path in(Path folder) {
    return folder.resolve("answers.json");
  }

  /// Writes answers into the folder of a run. Throws [fathom.io.BadFileException] if that is not
  /// possible.
  static void write(Path folder, Answers answers) {
    AtomicFile.replace(in(folder), out -> write(answers, out));
  }

  /// Writes answers to a stream piece by piece and leaves the stream open.
  public static void write(Answers answers, OutputStream to) {
    Confusion confusion = answers.confusion();
    try (JsonGenerator out = Json.generator(to)) {
      out.writeStartObject();
      out.writeNumberProperty("step", answers.step());
      out.writeNumberProperty("classes", confusion.classes());
      if (confusion.classes() <= Confusion.MOST_IN_A_TABLE) {
        out.writeName("counts");
        out.writePOJO(confusion.table());
      }
      out.writeArrayPropertyStart("confusions");
      for (Confusion.Pair pair : confusion.counts()) {
        out.writeArray(new long[] {pair.truth(), pair.prediction(), pair.times()}, 0, 3);
      }
      out.writeEndArray();
      out.writeName("worst");
      out.writePOJO(answers.worst());
      if (answers.calibration() != null) {
        out.writeName("calibration");
        out.writePOJO(answers.calibration());
      }
      if (answers.scaling() != null) {
        out.writeName("scaling");
        out.writePOJO(answers.scaling());
      }
      out.writeEndObject();
    }
  }

  /// Reads answers. Throws `JacksonException` or `IllegalArgumentException` if `text` holds no
  /// answers for a run with `classes` classes.
  public static Answers read(String text, int classes) {
    var file = new AnswersFile(classes);
    try (JsonParser in = Json.parser(text)) {
      if (in.nextToken() != JsonToken.START_OBJECT) {
        throw new IllegalArgumentException(
            "a JSON object is needed, but this is %s"
                .formatted(in.currentToken() == null ? "empty" : in.currentToken()));
      }
      while (in.nextToken() != JsonToken.END_OBJECT) {
        file.property(in);
      }
      if (in.nextToken() != null) {
        throw new IllegalArgumentException("something follows the end of the answers");
      }
    }
    return file.answers();
  }

  private void property(JsonParser in) {
    String name = in.currentName();
    in.nextToken();
    switch (name) {
      case "step" -> step = number(in, name);
      case "classes" -> classes = checkClasses(index(in, name));
      case "counts" -> table = table(in);
      case "confusions" -> sparse = triples(in);
      case "worst" -> worst = mistakes(in);
      case "calibration" -> calibration = Json.read(in.readValueAsTree(), Calibration.class);
      case "scaling" -> scaling = Json.read(in.readValueAsTree(), TemperatureScaling.class);
      default -> in.skipChildren(); // a property that a later version writes
    }
  }

  /// This check comes before anything of that size is allocated.
  private int checkClasses(int classes) {
    if (classes != expected) {
      throw new IllegalArgumentException(
          "the run has %s classes, but the answers are about %s".formatted(expected, classes));
    }
    return classes;
  }

  private static List<Answers.Mistake> mistakes(JsonParser in) {
    begin(in, "worst");
    var all = new ArrayList<Answers.Mistake>();
    for (JsonNode each : in.<ArrayNode>readValueAsTree()) {
      if (each instanceof ObjectNode mistake && !mistake.has("file")) {
        mistake.put("file", ""); // older versions did not write it
      }
      all.add(Json.read(each, Answers.Mistake.class));
    }
    return all;
  }

  /// Reads a table that has as many rows as columns. A row of zeros takes no memory.
  private Confusion table(JsonParser in) {
    var counts = new ArrayList<Confusion.Pair>();
    int width = -1;
    int truth = 0;
    begin(in, "counts");
    for (; in.nextToken() != JsonToken.END_ARRAY; truth++) {
      int prediction = 0;
      begin(in, "a row of counts");
      for (; in.nextToken() != JsonToken.END_ARRAY; prediction++) {
        long times = number(in, "counts");
        if (times != 0) {
          counts.add(new Confusion.Pair(truth, prediction, times));
        }
      }
      width = checkWidth(width, prediction, truth);
    }
    if (truth != Math.max(0, width)) {
      throw new IllegalArgumentException(
          "counts has a row and a column for each class, but %s rows and %s columns"
              .formatted(truth, width));
    }
    return new Confusion(checkClasses(truth), counts);
  }

  private static int checkWidth(int before, int width, int truth) {
    if (before >= 0 && before != width) {
      throw new IllegalArgumentException(
          "of %s classes each was taken for %s, but class %s has %s counts"
              .formatted(before, before, truth, width));
    }
    return width;
  }

  private static List<Confusion.Pair> triples(JsonParser in) {
    var counts = new ArrayList<Confusion.Pair>();
    begin(in, "confusions");
    while (in.nextToken() != JsonToken.END_ARRAY) {
      begin(in, "one of confusions");
      in.nextToken();
      int truth = index(in, "the true class of a confusion");
      in.nextToken();
      int prediction = index(in, "the other class of a confusion");
      in.nextToken();
      counts.add(new Confusion.Pair(truth, prediction, number(in, "the times of a confusion")));
      if (in.nextToken() != JsonToken.END_ARRAY) {
        throw new IllegalArgumentException(
            "one of confusions has three numbers, but there are more after class %s taken for %s"
                .formatted(truth, prediction));
      }
    }
    return counts;
  }

  private static void begin(JsonParser in, String what) {
    if (in.currentToken() != JsonToken.START_ARRAY) {
      throw new IllegalArgumentException(
          "%s is a list, but this is %s".formatted(what, in.currentToken()));
    }
  }

  private static long number(JsonParser in, String what) {
    if (in.currentToken() != JsonToken.VALUE_NUMBER_INT) {
      throw new IllegalArgumentException(
          "%s: a whole number is needed, but this is %s".formatted(what, in.currentToken()));
    }
    return in.getLongValue();
  }

  private static int index(JsonParser in, String what) {
    long number = number(in, what);
    if (number < 0 || number > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "%s is a number of 0 or more and below 2^31, but is %s".formatted(what, number));
    }
    return (int) number;
  }

  private Answers answers() {
    Confusion dense = table;
    List<Confusion.Pair> counts = sparse;
    List<Answers.Mistake> mistakes = worst;
    if (mistakes == null || step < 0 || (dense == null && (counts == null || classes < 0))) {
      throw new IllegalArgumentException(
          "answers have a step, worst, and classes with confusions or counts, but one is missing");
    }
    Confusion confusion =
        counts == null || classes < 0
            ? Objects.requireNonNull(dense)
            : new Confusion(classes, counts);
    if (dense != null
        && (!dense.counts().equals(confusion.counts()) || (counts == null) != (classes < 0))) {
      throw new IllegalArgumentException(
          "counts and confusions say the same of the same classes, but here they differ");
    }
    return new Answers(step, confusion, mistakes, calibration, scaling);
  }
}
