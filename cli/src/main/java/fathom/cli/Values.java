package fathom.cli;

import fathom.io.HomeFolder;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.function.Function;
import picocli.CommandLine;
import picocli.CommandLine.TypeConversionException;

/// Converts numbers and paths as users write them, and reports those that are none.
final class Values {
  private Values() {}

  /// Registers the converters for every option and parameter of this command and of its
  /// subcommands.
  static void register(CommandLine line) {
    line.registerConverter(int.class, text -> whole(text, BigInteger::intValueExact));
    line.registerConverter(Integer.class, text -> whole(text, BigInteger::intValueExact));
    line.registerConverter(long.class, text -> whole(text, BigInteger::longValueExact));
    line.registerConverter(double.class, Values::number);
    line.registerConverter(Double.class, Values::number);
    line.registerConverter(float.class, text -> (float) number(text));
    line.registerConverter(Path.class, Values::path);
  }

  private static <T> T whole(String text, Function<BigInteger, T> fitting) {
    try {
      return fitting.apply(new BigInteger(text.strip()));
    } catch (NumberFormatException e) {
      throw new TypeConversionException("'%s' is no whole number".formatted(text));
    } catch (ArithmeticException e) {
      throw new TypeConversionException("'%s' is a number of too many digits".formatted(text));
    }
  }

  /// Reads a number as a decimal, which excludes `NaN` and `0x1p3`.
  private static double number(String text) {
    try {
      return new BigDecimal(text.strip()).doubleValue();
    } catch (NumberFormatException e) {
      throw new TypeConversionException("'%s' is no number".formatted(text));
    }
  }

  /// Reads a path. An empty path is refused, because it would mean the current folder, and it
  /// usually comes from a shell variable that was never set.
  private static Path path(String text) {
    if (text.isBlank()) {
      throw new TypeConversionException("the path is empty; for the folder where you are write .");
    }
    try {
      return HomeFolder.path(text);
    } catch (InvalidPathException e) {
      throw new TypeConversionException("'%s' is no path on this system".formatted(text));
    }
  }
}
