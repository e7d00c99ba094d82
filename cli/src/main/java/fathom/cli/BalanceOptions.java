package fathom.cli;

import fathom.data.Data;
import fathom.data.DataSet;
import fathom.io.BadFileException;
import fathom.io.HomeFolder;
import fathom.io.RegularFile;
import fathom.io.Shown;
import fathom.run.Recipe;
import fathom.run.Sampling;
import fathom.task.ClassBalance;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The options for classes of unequal size: a [ClassBalance] as the user wants it.
final class BalanceOptions {
  private static final String BALANCED = "balanced";

  /// How many times as many images the largest class has as the smallest before a remark is made.
  private static final int UNEQUAL = 3;

  private static final long MOST_BYTES = 1 << 24;

  @Rare
  @Option(
      names = "--class-weights",
      paramLabel = "balanced|W,W,...|FILE",
      description =
          "Weights the classes in the loss: inversely to their numbers of images, by a number for "
              + "each in their order, or by a file with a line for each, its name and its weight.")
  private @Nullable String classWeights;

  @Rare
  @Option(
      names = "--balanced-sampling",
      description =
          "Draws images with replacement so that each class is equally likely. An epoch has as many "
              + "images as before.")
  private boolean balanced;

  Sampling of(Sampling usual) {
    return balanced ? usual.withBalanced(true) : usual;
  }

  /// Returns the recipe with its class weights. Throws `IllegalArgumentException` for weights that
  /// are none for the data, and [BadFileException] for a file that cannot be read.
  Recipe weighted(Recipe recipe, Data data) {
    String given = classWeights;
    if (given == null) {
      return recipe;
    }
    if (balanced) {
      throw new IllegalArgumentException(
          "`classWeights` and `balanced` mend the same, and both at once overdo it; leave out one");
    }
    if (!(data instanceof DataSet images)) {
      throw new IllegalArgumentException(
          "`classWeights` is for the classes of images, but %s has none; leave it out"
              .formatted(data.name()));
    }
    List<Double> weights =
        given.equals(BALANCED)
            ? ClassBalance.inverse(
                counts(recipe, images).stream().mapToInt(Integer::intValue).toArray())
            : given.matches("[-+.eE0-9\\s]+(,[-+.eE0-9\\s]+)+")
                ? listed(given)
                : read(HomeFolder.path(given), images.classes());
    return recipe.optimized(usual -> usual.withClassWeights(weights));
  }

  private static List<Integer> counts(Recipe recipe, DataSet images) {
    return images.classCounts(recipe.validation(), recipe.seed());
  }

  private static List<Double> listed(String given) {
    try {
      return Arrays.stream(given.split(",", -1)).map(each -> Double.valueOf(each.strip())).toList();
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("`classWeights` is a list of numbers, but is " + given, e);
    }
  }

  /// Reads a line for each class: its name, a space, a tab or a comma, and its weight.
  private static List<Double> read(Path file, List<String> classes) {
    var weights = new HashMap<String, Double>();
    for (String line : RegularFile.text(file, MOST_BYTES).lines().map(String::strip).toList()) {
      if (line.isEmpty()) {
        continue;
      }
      int end =
          Math.max(line.lastIndexOf(' '), Math.max(line.lastIndexOf('\t'), line.lastIndexOf(',')));
      String name = line.substring(0, Math.max(0, end)).strip();
      if (!classes.contains(name)) {
        throw new BadFileException(
            file,
            "a line has the name of a class and its weight, but %s is no class of the data"
                .formatted(Shown.name(name)));
      }
      if (weights.put(name, weight(file, line.substring(end + 1))) != null) {
        throw new BadFileException(file, "the class %s has two lines".formatted(Shown.name(name)));
      }
    }
    return classes.stream()
        .map(name -> {
          Double weight = weights.get(name);
          if (weight == null) {
            throw new BadFileException(
                file,
                "every class needs a line with its weight, but %s has none"
                    .formatted(Shown.name(name)));
          }
          return weight;
        })
        .toList();
  }

  private static double weight(Path file, String text) {
    try {
      return Double.parseDouble(text.strip());
    } catch (NumberFormatException e) {
      throw new BadFileException(
          file, "a weight is a number, but %s is none".formatted(Shown.name(text)), e);
    }
  }

  /// Says if the classes are unequal and nothing is done about it.
  void tell(Recipe recipe, Data data, Output output) {
    if (balanced || classWeights != null || !(data instanceof DataSet images)) {
      return;
    }
    List<Integer> counts = counts(recipe, images);
    int least = counts.stream().filter(count -> count > 0).min(Integer::compare).orElse(0);
    int most = counts.stream().max(Integer::compare).orElse(0);
    if (most > (long) UNEQUAL * least) {
      output.remark(
          "fathom: the classes are unequal: %s training images of %s and %s of %s; --balanced-sampling or --class-weights balanced makes small ones count as much"
              .formatted(
                  least,
                  Shown.name(images.classes().get(counts.indexOf(least))),
                  most,
                  Shown.name(images.classes().get(counts.indexOf(most)))));
    }
  }
}
