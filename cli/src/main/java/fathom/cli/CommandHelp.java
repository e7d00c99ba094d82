package fathom.cli;

import static picocli.CommandLine.Model.UsageMessageSpec.SECTION_KEY_OPTION_LIST;
import static picocli.CommandLine.Model.UsageMessageSpec.SECTION_KEY_PARAMETER_LIST;

import java.lang.reflect.Field;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/// The help of a command in two lengths. `--help` fits on a screen of 100 columns by 45 lines: it
/// has the first sentence about each option, and only the names of the options that are [Rare].
/// `--help-all` has everything about every option.
final class CommandHelp {
  /// The width of a terminal window that most users have.
  static final int COLUMNS = 100;

  private static final String ALL = "--help-all";

  /// What fits beside the name of an option.
  private static final int LINE = 72;

  /// A sentence such as "Default: 128."
  private static final Pattern DEFAULT = Pattern.compile(" Default: [^.]*\\.(?= |$)");

  private CommandHelp() {}

  /// Gives a command line and all its subcommands this help.
  static void install(CommandLine line) {
    line.setUsageHelpWidth(COLUMNS);
    install(line.getCommandSpec());
    line.getSubcommands().values().forEach(CommandHelp::install);
  }

  private static void install(CommandSpec command) {
    if (command.findOption("--help") == null) {
      return; // only a name in the list of commands
    }
    command.addOption(
        OptionSpec.builder(ALL)
            .usageHelp(true)
            .description("Show this help with all that there is to say about every option.")
            .build());
    command.usageMessage().abbreviateSynopsis(true);
    var sections = command.usageMessage().sectionMap();
    sections.put(
        SECTION_KEY_PARAMETER_LIST,
        help -> help.parameterList(layout(help, shown(help)), help.parameterLabelRenderer()));
    sections.put(SECTION_KEY_OPTION_LIST, CommandHelp::options);
  }

  private static boolean isAll(CommandSpec command) {
    ParseResult parsed = command.commandLine().getParseResult();
    return parsed != null && parsed.hasMatchedOption(ALL);
  }

  private static String options(Help help) {
    List<OptionSpec> shown = shown(help);
    String list =
        help.optionListExcludingGroups(
            shown,
            layout(help, shown),
            help.createDefaultOptionSort(),
            help.parameterLabelRenderer());
    List<String> left =
        help.commandSpec().options().stream()
            .filter(option -> !isShown(help, option))
            .map(OptionSpec::longestName)
            .sorted()
            .toList();
    return left.isEmpty() ? list : list + names(left);
  }

  /// Returns the options that are described, with as much of their descriptions as is wanted.
  private static List<OptionSpec> shown(Help help) {
    boolean all = isAll(help.commandSpec());
    return help.commandSpec().options().stream()
        .filter(option -> isShown(help, option))
        .map(option -> said(option, all))
        .toList();
  }

  private static boolean isShown(Help help, OptionSpec option) {
    return isAll(help.commandSpec()) || !isRare(option);
  }

  /// Returns the columns for these options, the same for the parameters above them.
  private static Help.Layout layout(Help help, List<OptionSpec> shown) {
    return help.createDefaultLayout(
        shown, help.commandSpec().positionalParameters(), help.colorScheme());
  }

  private static boolean isRare(OptionSpec option) {
    return option.userObject() instanceof Field field && field.isAnnotationPresent(Rare.class);
  }

  /// Returns the option with its description as one text, which is wrapped where the window ends.
  private static OptionSpec said(OptionSpec option, boolean all) {
    String description = String.join(" ", option.description()).replace("%", "%%");
    return option.toBuilder()
        .names(option.names())
        .description(all ? description : brief(description))
        .build();
  }

  /// Returns the first sentence, and the default behind it if both fit into a line.
  private static String brief(String text) {
    int end = text.indexOf(". ") + 1;
    if (end == 0) {
      return text;
    }
    Matcher usual = DEFAULT.matcher(text).region(end, text.length());
    String first = text.substring(0, end);
    return usual.find() && first.length() + usual.group().length() <= LINE
        ? first + usual.group()
        : first;
  }

  private static String names(List<String> rare) {
    var lines =
        new StringBuilder(String.format(Locale.ROOT, "Rare options, which %s describes:%n", ALL));
    var line = new StringBuilder(" ");
    for (String name : rare) {
      if (line.length() + 1 + name.length() > COLUMNS) {
        lines.append(line).append(System.lineSeparator());
        line.setLength(1);
      }
      line.append(' ').append(name);
    }
    return lines.append(line).append(System.lineSeparator()).toString();
  }
}
