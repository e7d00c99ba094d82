package fathom.cli;

import fathom.DeviceException;
import fathom.Release;
import fathom.io.BadFileException;
import fathom.io.Shown;
import fathom.parallel.LostProcessException;
import fathom.train.BusyRunException;
import fathom.train.DivergedException;
import fathom.train.Machine;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;

@Command(
    name = "fathom",
    description = "Trains very deep networks on the JVM and shows why they train.",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    footerHeading = "%nExamples:%n",
    footer = {
      "  fathom demo                                plain and residual nets on digits, in 3"
          + " minutes",
      "  fathom models resnet20                     a net as a tree with shapes",
      "  fathom train resnet20 --data digits        trains, and writes a run below runs/",
      "  fathom eval runs/resnet20-digits-1         measures a run's last checkpoint",
      "  fathom predict runs/resnet20-digits-1 a.png  says what an image shows",
      "  fathom train ln-lstm --data text:book.txt  learns the characters of a text",
      "  fathom sample runs/ln-lstm-book-1          and writes such text",
      "",
      "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 bad data or file, 4 native library, device,"
          + " memory or",
      "another process, 5 diverged, 130 stopped by Ctrl-C and 143 by SIGTERM, in both cases after saving"
          + " what a",
      "training or a series had done. --verbose shows where a failure came from.",
      "",
      "An option that is not written is taken from the environment (FATHOM_TRAIN_EPOCHS=5), else"
          + " from",
      "~/.config/fathom/config.properties (train.epochs = 5), else it has its default. NO_COLOR"
          + " turns colours off."
    })
final class Main implements Runnable {
  /// The commands in the order of the help.
  private static final List<Class<?>> COMMANDS =
      List.of(
          DemoCommand.class,
          ModelsCommand.class,
          TrainCommand.class,
          EvalCommand.class,
          PredictCommand.class,
          ServeCommand.class,
          SampleCommand.class,
          ExportCommand.class,
          WeightsCommand.class,
          ReportCommand.class,
          BenchCommand.class,
          LabCommand.class,
          DataCommand.class,
          DoctorCommand.class,
          InstallCommand.class,
          PackageCommand.class,
          CompletionCommand.class);

  /// The file type of a pipe in the highest four bits of a file's mode, as POSIX systems encode it.
  private static final int PIPE = 1;

  @Spec private @Nullable CommandSpec spec;

  private Main() {}

  public static void main(String[] args) {
    System.exit(
        execute(
            System::getenv,
            new PrintWriter(System.out, true, System.out.charset()),
            new PrintWriter(System.err, true, System.err.charset()),
            Main::writesToReader,
            args));
  }

  /// Returns whether standard output is a pipe. A pipe takes everything as long as its reader
  /// reads, so a write that fails means that the reader, such as `head`, has all it wanted.
  private static boolean writesToReader() {
    try {
      return (int) Files.getAttribute(Path.of("/dev/fd/1"), "unix:mode") >> 12 == PIPE;
    } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
      return false;
    }
  }

  /// Runs the command line `args` in this environment and returns its exit code.
  static int execute(
      Function<String, @Nullable String> environment,
      PrintWriter out,
      PrintWriter err,
      String... args) {
    return execute(environment, out, err, () -> false, args);
  }

  /// Runs the command line `args` and returns its exit code.
  ///
  /// @param mayEnd whether it is no failure if `out` takes no more; asked only in that case
  private static int execute(
      Function<String, @Nullable String> environment,
      PrintWriter out,
      PrintWriter err,
      BooleanSupplier mayEnd,
      String... args) {
    CommandLine line = commandLine(Set.copyOf(List.of(args))).setOut(out).setErr(err);
    Configuration configuration;
    try {
      configuration =
          Configuration.read(environment, () -> commandLine().getCommandSpec()).forArguments(args);
    } catch (BadFileException e) {
      return fail(err, e.getMessage(), Exit.BAD_FILE);
    }
    boolean trace = environment.apply("FATHOM_STACKTRACE") != null;
    line.setDefaultValueProvider(configuration)
        .setParameterExceptionHandler((e, _) -> wrongUsage(e, configuration))
        .setExecutionExceptionHandler((e, failed, _) -> failed(e, failed, trace));
    int code;
    try {
      code = line.execute(args);
    } catch (Error e) { // picocli's handler gets exceptions, but no errors
      code = failed(e, line, trace);
    }
    // A PrintWriter does not throw. A failure of the command is the better reason, so it comes
    // first.
    return out.checkError() && code == Exit.DONE && !mayEnd.getAsBoolean()
        ? fail(err, "standard output cannot be written: is the disk full?", Exit.FAILED)
        : code;
  }

  /// Returns the command line with all commands in full.
  static CommandLine commandLine() {
    return commandLine(
        COMMANDS.stream().map(type -> described(type).name()).collect(Collectors.toSet()));
  }

  /// Returns the command line in which only the commands among `words` have their options; the
  /// others have a name and a description. Picocli reads the fields of a command's class to find
  /// its options, which takes longer than the work of some commands.
  private static CommandLine commandLine(Set<String> words) {
    var line = new CommandLine(new Main());
    for (Class<?> type : COMMANDS) {
      Command described = described(type);
      if (words.contains(described.name())) {
        line.addSubcommand(type);
      } else {
        CommandSpec named = CommandSpec.create();
        named.usageMessage().description(described.description());
        line.addSubcommand(described.name(), named);
      }
    }
    EnumName.register(line);
    Values.register(line);
    CommandHelp.install(line);
    return line;
  }

  private static Command described(Class<?> type) {
    return Objects.requireNonNull(type.getAnnotation(Command.class));
  }

  @Override
  public void run() {
    throw new ParameterException(
        Objects.requireNonNull(spec).commandLine(), "a command is missing");
  }

  private static int wrongUsage(ParameterException e, Configuration configuration) {
    CommandLine line = e.getCommandLine();
    PrintWriter err = line.getErr();
    err.println(
        "fathom: " + Shown.message(Components.spelled(e.getMessage() + configuration.origin(e))));
    if (!CommandLine.UnmatchedArgumentException.printSuggestions(e, err)) {
      err.println("Try \"%s --help\".".formatted(line.getCommandSpec().qualifiedName()));
    }
    err.flush();
    return Exit.USAGE;
  }

  private static int failed(Throwable e, CommandLine line, boolean trace) {
    PrintWriter err = line.getErr();
    if (trace || isVerbose(line)) {
      e.printStackTrace(err);
    }
    return switch (e) {
      case BadFileException _ -> fail(err, e.getMessage(), Exit.BAD_FILE);
      case BusyRunException _ -> fail(err, e.getMessage(), Exit.USAGE);
      case DivergedException _ -> fail(err, e.getMessage(), Exit.DIVERGED);
      case DeviceException _ -> fail(err, e.getMessage(), Exit.NATIVE);
      case LostProcessException _ -> fail(err, e.getMessage(), Exit.NATIVE);
      case LinkageError _ ->
          fail(
              err,
              "libtorch could not be loaded on this machine (%s): %s; \"fathom doctor\" says more"
                  .formatted(System.getProperty("os.arch"), rootMessage(e)),
              Exit.NATIVE);
      case OutOfMemoryError _ ->
          fail(
              err,
              "the JVM's heap of %s MB is full (%s); images in memory, texts and lists of files and classes are held there: take less data, or give more by JAVA_TOOL_OPTIONS=-Xmx8g"
                  .formatted(Runtime.getRuntime().maxMemory() >> 20, e.getMessage()),
              Exit.NATIVE);
      default -> fail(err, rootMessage(e), Exit.FAILED);
    };
  }

  /// Returns whether `--verbose` was given to the command that was called, however deeply nested.
  private static boolean isVerbose(CommandLine line) {
    for (ParseResult at = line.getParseResult(); at != null; at = at.subcommand()) {
      if (at.hasMatchedOption("--verbose")) {
        return true;
      }
    }
    return false;
  }

  private static int fail(PrintWriter err, @Nullable String message, int code) {
    err.println("fathom: " + Shown.message(Components.spelled(String.valueOf(message))));
    err.flush();
    return code;
  }

  /// Returns the first line of the root cause's message, because libtorch's messages continue with
  /// its stack trace.
  private static String rootMessage(Throwable e) {
    Throwable root = e;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    String message = root.getMessage() == null ? root.toString() : root.getMessage();
    return message.lines().findFirst().orElse(root.toString());
  }

  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {
        "Fathom " + Machine.version(), Release.libtorch(), Machine.javaVersion()
      };
    }
  }
}
