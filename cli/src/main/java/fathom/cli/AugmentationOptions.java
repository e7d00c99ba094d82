package fathom.cli;

import fathom.run.Variation;
import java.util.Map;
import java.util.Stack;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.IParameterPreprocessor;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/// The options for what training images go through besides crops and flips: a [Variation] as the
/// user wants it.
final class AugmentationOptions {
  /// What RandAugment does without a value: the paper's usual two operations of strength 9.
  private static final String USUAL = "2,9";

  private static final Pattern COUNTS = Pattern.compile("(\\d{1,4})(?:,(\\d{1,4}))?");

  @Rare
  @Option(
      names = "--mixup",
      paramLabel = "ALPHA",
      description =
          "Mixes each image and its label with another of the batch, by a share of "
              + "Beta(ALPHA, ALPHA); usual: 0.2. Default: 0, none.")
  private @Nullable Double mixup;

  @Rare
  @Option(
      names = "--cutmix",
      paramLabel = "ALPHA",
      description =
          "Replaces a patch of each image by that of another of the batch, and as much of its "
              + "label; usual: 1. With --mixup each batch takes one of both. Default: 0, none.")
  private @Nullable Double cutmix;

  @Rare
  @Option(
      names = "--randaugment",
      paramLabel = "N[,M]",
      arity = "1",
      preprocessor = Counts.class,
      description =
          "RandAugment: N operations on each image (colours, shears, rotations, ...) of strength M, "
              + "0 to 30. Without a value: 2,9. Default: none.")
  private @Nullable String randAugment;

  @Rare
  @Option(
      names = "--trivialaugment",
      description = "TrivialAugment: one operation on each image, of any strength.")
  private boolean trivialAugment;

  @Rare
  @Option(
      names = "--erase",
      paramLabel = "P",
      description =
          "Fills a patch of an image with noise, with probability P (random erasing); usual: 0.25. "
              + "Default: 0.")
  private @Nullable Double erase;

  @Rare
  @Option(
      names = "--lighting",
      paramLabel = "S",
      description =
          "Changes the colours of each image along their principal components (Krizhevsky et al. "
              + "2012), with standard deviation S; usual: 0.1. Default: 0, none.")
  private @Nullable Double lighting;

  /// Takes the next argument as the value of `--randaugment` only if it looks like one, because
  /// MODEL may follow.
  static final class Counts implements IParameterPreprocessor {
    @Override
    public boolean preprocess(
        Stack<String> args, CommandSpec command, ArgSpec arg, Map<String, Object> info) {
      if (args.isEmpty() || !Character.isDigit(args.peek().codePointAt(0))) {
        args.push(USUAL);
      }
      return false; // the value is read as any other
    }
  }

  boolean isGiven() {
    return mixup != null
        || cutmix != null
        || randAugment != null
        || trivialAugment
        || erase != null
        || lighting != null;
  }

  /// Returns the usual variation with what the user wants. Throws `IllegalArgumentException` for
  /// values out of range.
  Variation of(Variation usual) {
    int operations = usual.randAugment();
    int magnitude = usual.magnitude();
    boolean trivial = trivialAugment || (usual.trivialAugment() && randAugment == null);
    if (randAugment != null) {
      Matcher counts = COUNTS.matcher(randAugment);
      if (!counts.matches() || Integer.parseInt(counts.group(1)) < 1) {
        throw new IllegalArgumentException(
            "--randaugment is a number of operations N of at least 1, or N,M with their strength, but is \"%s\""
                .formatted(randAugment));
      }
      operations = Integer.parseInt(counts.group(1));
      magnitude = counts.group(2) == null ? 9 : Integer.parseInt(counts.group(2));
    }
    return new Variation(
        operations,
        magnitude,
        trivial,
        erase == null ? usual.erase() : erase,
        mixup == null ? usual.mixup() : mixup,
        cutmix == null ? usual.cutmix() : cutmix,
        usual.scale(),
        lighting == null ? usual.lighting() : lighting);
  }
}
