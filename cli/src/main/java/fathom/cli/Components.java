package fathom.cli;

import java.lang.reflect.Field;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/// Translates the components of a run, which the library's messages name between backticks, into
/// the options by which the command line sets them. A component belongs to the option whose field
/// has the same name, so a new option needs no entry here.
final class Components {
  private static final Pattern COMPONENT = Pattern.compile("`([a-zA-Z]+)`");

  private Components() {}

  /// Returns the message with every component replaced by its option. A name between backticks that
  /// belongs to no option stays, without the backticks.
  static String spelled(String message) {
    var component = COMPONENT.matcher(message);
    return component.find()
        ? component
            .reset()
            .replaceAll(found -> Options.NAMES.getOrDefault(found.group(1), found.group(1)))
        : message;
  }

  /// A holder class, so that the options are collected only when an error has a message to
  /// translate.
  private static final class Options {
    static final Map<String, String> NAMES = names();

    private static Map<String, String> names() {
      var names = new LinkedHashMap<String, String>();
      CommandLine all = Main.commandLine();
      CommandLine train = all.getSubcommands().get("train"); // its names win
      if (train != null) {
        add(train, names);
      }
      all.getSubcommands().values().forEach(command -> add(command, names));
      return names;
    }

    private static void add(CommandLine command, Map<String, String> names) {
      for (OptionSpec option : command.getCommandSpec().options()) {
        if (option.userObject() instanceof Field field) {
          names.putIfAbsent(field.getName(), option.longestName());
        }
      }
      command.getSubcommands().values().forEach(below -> add(below, names));
    }
  }
}
