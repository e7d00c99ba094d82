package fathom.cli;

import fathom.io.BadFileException;
import fathom.io.HomeFolder;
import fathom.io.RegularFile;
import fathom.io.Spelling;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/// Default values of options from outside the command line. An option on the command line wins over
/// the environment (`FATHOM_TRAIN_EPOCHS=5`), the environment wins over the file (`train.epochs =
/// 5`), and the file wins over the command's own default.
final class Configuration implements IDefaultValueProvider {
  /// The configuration of neither a file nor an environment.
  static final Configuration NONE = new Configuration(_ -> null, Map.of(), "");

  private static final long MOST_BYTES = 1 << 20;

  private final Function<String, @Nullable String> environment;
  private final Map<String, String> values;
  private final String file;

  private Configuration(
      Function<String, @Nullable String> environment, Map<String, String> values, String file) {
    this.environment = environment;
    this.values = values;
    this.file = file;
  }

  /// Reads the configuration file: the one that `FATHOM_CONFIG` names, or else
  /// `fathom/config.properties` below `XDG_CONFIG_HOME` or `~/.config`, if it exists. Throws
  /// [BadFileException] if `FATHOM_CONFIG` names a file that does not exist, or if the file cannot
  /// be read or names an option that does not exist.
  static Configuration read(
      Function<String, @Nullable String> environment, Supplier<CommandSpec> root) {
    String named = environment.apply("FATHOM_CONFIG");
    Path file = named == null || named.isBlank() ? usual(environment) : HomeFolder.path(named);
    if (!Files.exists(file)) {
      if (named != null && !named.isBlank()) {
        throw new BadFileException(file, "FATHOM_CONFIG names this file, but there is none");
      }
      return new Configuration(environment, Map.of(), file.toString());
    }
    var properties = new Properties();
    try {
      properties.load(new StringReader(RegularFile.text(file, MOST_BYTES)));
    } catch (IOException | IllegalArgumentException e) {
      throw new BadFileException(
          file,
          "lines are read as \"train.epochs = 5\", but it cannot be read (%s)".formatted(e),
          e);
    }
    Set<String> known = known(root.get());
    var values = new HashMap<String, String>();
    for (String key : new TreeSet<>(properties.stringPropertyNames())) {
      if (!known.contains(key)) {
        throw new BadFileException(
            file,
            "a line begins with COMMAND.OPTION, but there is no %s%s"
                .formatted(
                    key,
                    Spelling.nearest(key, known)
                        .map(": did you mean %s?"::formatted)
                        .orElse("; see fathom COMMAND --help")));
      }
      values.put(key, properties.getProperty(key).strip());
    }
    return new Configuration(environment, values, file.toString());
  }

  private static Path usual(Function<String, @Nullable String> environment) {
    String home = environment.apply("XDG_CONFIG_HOME");
    Path config =
        home == null || home.isBlank()
            ? HomeFolder.home().resolve(".config")
            : HomeFolder.path(home);
    return config.resolve("fathom").resolve("config.properties");
  }

  private static Set<String> known(CommandSpec root) {
    var known = new TreeSet<String>();
    for (CommandLine command : root.subcommands().values()) {
      for (OptionSpec option : command.getCommandSpec().options()) {
        if (!asksForHelp(option)) {
          known.add(key(option));
        }
      }
    }
    return known;
  }

  /// Returns the configuration that applies to these arguments. With `--resume` it is [#NONE],
  /// because a run that is resumed has a recipe of its own.
  Configuration forArguments(String... args) {
    return Arrays.stream(args).anyMatch(a -> a.equals("--resume") || a.startsWith("--resume="))
        ? NONE
        : this;
  }

  @Override
  public @Nullable String defaultValue(ArgSpec arg) {
    if (!(arg instanceof OptionSpec option) || asksForHelp(option)) {
      return null;
    }
    String given = environment.apply(variable(option));
    return given == null || given.isBlank() ? values.get(key(option)) : given;
  }

  /// Returns a clause to end an error message with: where the refused options may come from, if not
  /// from the command line. If the error is about no single option, the options that the message
  /// names are meant. The clause is empty if no option has a default from outside.
  String origin(ParameterException refused) {
    CommandLine line = refused.getCommandLine();
    ParseResult written = line.getParseResult();
    String message = Components.spelled(String.valueOf(refused.getMessage()));
    List<? extends ArgSpec> concerned =
        refused.getArgSpec() == null
            ? line.getCommandSpec().options().stream()
                .filter(option -> message.matches("(?s).*" + option.longestName() + "\\b.*"))
                .filter(option -> written == null || !written.hasMatchedOption(option))
                .toList()
            : List.of(refused.getArgSpec());
    String origins =
        concerned.stream()
            .flatMap(arg -> Stream.ofNullable(origin(arg)))
            .collect(Collectors.joining(", "));
    return origins.isEmpty() ? "" : " (if not written: from %s)".formatted(origins);
  }

  /// Returns where the default of an option comes from, or null if it is the command's own.
  private @Nullable String origin(ArgSpec arg) {
    if (defaultValue(arg) == null || !(arg instanceof OptionSpec option)) {
      return null;
    }
    String given = environment.apply(variable(option));
    return given == null || given.isBlank() ? key(option) + " in " + file : variable(option);
  }

  private static boolean asksForHelp(OptionSpec option) {
    return option.usageHelp() || option.versionHelp();
  }

  /// Returns the key of an option in the file, for example `train.shard-statistics`.
  private static String key(OptionSpec option) {
    return option.command().name() + "." + option.longestName().replaceFirst("^-+", "");
  }

  private static String variable(OptionSpec option) {
    return "FATHOM_" + key(option).toUpperCase(Locale.ROOT).replaceAll("[.-]", "_");
  }
}
