package fathom.cli;

import fathom.run.Run;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.lang.reflect.Field;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Model.OptionSpec;

/// Marks an option of `train` that may be combined with `--resume`. Every other option would change
/// what the run is; that was decided when the run was created, so the option is refused.
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.FIELD)
@interface OnResume {
  /// Decides which options may be combined with `--resume`.
  final class Rule {
    private Rule() {}

    static boolean allows(OptionSpec option) {
      return option.usageHelp()
          || option.versionHelp()
          || (option.userObject() instanceof Field field
              && field.isAnnotationPresent(OnResume.class));
    }

    /// Returns why the run in `folder` cannot be resumed with these options; empty if it can.
    ///
    /// @param written the options of the command line, each with its values there
    static Optional<String> refusal(List<OptionSpec> written, Path folder) {
      var clauses = new ArrayList<String>();
      var names = new ArrayList<String>();
      for (OptionSpec option : new LinkedHashSet<>(written)) {
        if (!allows(option)) {
          names.add(option.longestName());
          clauses.add(clause(option, folder));
        }
      }
      return names.isEmpty()
          ? Optional.empty()
          : Optional.of(
              "--resume goes on by the run's own recipe: %s; leave out %s"
                  .formatted(String.join("; ", clauses), String.join(", ", names)));
    }

    private static String clause(OptionSpec option, Path folder) {
      String name = option.longestName();
      String given =
          option.arity().max() == 0 ? "" : String.join(",", option.originalStringValues());
      Optional<String> decided =
          option.userObject() instanceof Field field && Run.isIn(folder)
              ? Run.open(folder).decided(field.getName())
              : Optional.empty();
      if (decided.isEmpty()) {
        return "%s is for a new training".formatted((name + " " + given).strip());
      }
      return "%s is %s in it, but %s was given"
          .formatted(name, spelled(option, decided.get()), (name + " " + given).strip());
    }

    private static String spelled(OptionSpec option, String decided) {
      boolean words =
          (option.auxiliaryTypes().length > 0 && option.auxiliaryTypes()[0].isEnum())
              || option.type().isEnum();
      return words ? decided.toLowerCase(Locale.ROOT).replace('_', '-') : decided;
    }
  }
}
