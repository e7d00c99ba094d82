package fathom.cli;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.TypeConversionException;

/// Converts between enum constants and the names that users write: lower case, with hyphens between
/// the words.
record EnumName<E extends Enum<E>>(Class<E> type) implements ITypeConverter<E> {
  /// Registers a converter for every enum option and parameter of this command and of its
  /// subcommands.
  static void register(CommandLine line) {
    line.getCommandSpec().args().forEach(arg -> register(line, arg));
    line.getSubcommands().values().forEach(EnumName::register);
  }

  private static void register(CommandLine line, ArgSpec arg) {
    for (Class<?> type : arg.auxiliaryTypes()) {
      if (type.isEnum() && arg.converters().length == 0) {
        register(line, type);
      }
    }
  }

  @SuppressWarnings({"unchecked", "rawtypes"}) // callers pass a class for which isEnum() is true
  private static void register(CommandLine line, Class<?> type) {
    line.registerConverter((Class) type, new EnumName((Class) type));
  }

  @Override
  public E convert(String text) {
    List<E> constants = Arrays.asList(type.getEnumConstants());
    return constants.stream()
        .filter(constant -> spelled(constant).equals(text.toLowerCase(Locale.ROOT)))
        .findFirst()
        .orElseThrow(() ->
            new TypeConversionException(
                "'%s' is none of %s"
                    .formatted(
                        text,
                        constants.stream()
                            .map(EnumName::spelled)
                            .collect(Collectors.joining(", ")))));
  }

  /// Returns the names of all constants of an enum, as users write them.
  static List<String> all(Class<?> type) {
    return Arrays.stream(type.getEnumConstants()).map(c -> spelled((Enum<?>) c)).toList();
  }

  private static String spelled(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
