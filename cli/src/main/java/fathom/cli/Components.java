package fathom.cli;

import java.lang.reflect.Field;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/// Components of a run as the library calls them, between backticks in its messages, and the
/// options by which the command line sets them. A component is the option whose field has its name,
/// which is how a new option comes in here.
final class Components {
  private static final Pattern COMPONENT = Pattern.compile("`([a-zA-Z]+)`");

  private Components() {}

  /// The message with options for components. What is no option keeps its name.
  static String spelled(String message) {
    var component = COMPONENT.matcher(message);
    return component.find()
        ? component
            .reset()
            .replaceAll(found -> Options.NAMES.getOrDefault(found.group(1), found.group(1)))
        : message;
  }

  /// Read only when something went wrong.
  private static final class Options {
    static final Map<String, String> NAMES = names();

    private static Map<String, String> names() {
      var names = new LinkedHashMap<String, String>();
      CommandLine all = Main.commandLine();
      CommandLine train = all.getSubcommands().get("train"); // whose words come first
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
