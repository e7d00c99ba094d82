package fathom.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import fathom.Node;
import fathom.Scope;
import fathom.net.Architecture;
import fathom.nn.Init;
import fathom.train.Weights;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/// What a shell and its user expect of any command.
class ShellTest {
  private static final List<String> DRY =
      List.of("train", "resnet8", "--data", "digits", "--dry-run", "--json");

  @TempDir private Path folder;

  /// Of the process that was asked last.
  private int code;

  private Map<String, String> configured(String lines) throws IOException {
    Path file = folder.resolve("fathom").resolve("config.properties");
    Files.createDirectories(file.getParent());
    Files.writeString(file, lines);
    return Map.of("XDG_CONFIG_HOME", folder.toString());
  }

  private static int epochs(Map<String, String> environment, String... more) {
    var args = new ArrayList<>(DRY);
    args.addAll(List.of(more));
    Cli cli = Cli.run(environment, args.toArray(String[]::new));
    assertEquals(Exit.DONE, cli.code(), cli.err());
    return cli.json().path("epochs").asInt();
  }

  /// Option, environment, file, default: each wins over those behind it.
  @Test
  void precedence() throws IOException {
    Map<String, String> file = configured("train.epochs = 3\n");
    int own = epochs(Map.of("XDG_CONFIG_HOME", "./none"));
    assertTrue(own > 7, "a default that none of the others is, but it is " + own);
    assertEquals(3, epochs(file));
    Map<String, String> both =
        Map.of("XDG_CONFIG_HOME", folder.toString(), "FATHOM_TRAIN_EPOCHS", "5");
    assertEquals(5, epochs(both));
    assertEquals(7, epochs(both, "--epochs", "7"));
    Path file2 = folder.resolve("fathom").resolve("config.properties");
    assertEquals(3, epochs(Map.of("FATHOM_CONFIG", file2.toString())));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          train.epocs = 3    | 3 | did you mean train.epochs?
          epochs = 3         | 3 | COMMAND.OPTION
          train.help = true  | 3 | no train.help
          train.epochs = \\u0 | 3 | cannot be read
          train.epochs = few | 2 | train.epochs in
          """)
  void aWrongFileIsNamed(String line, int code, String says) throws IOException {
    Cli cli = Cli.run(configured(line + "\n"), DRY.toArray(String[]::new));
    assertEquals(code, cli.code(), cli.err());
    assertTrue(cli.err().contains(says) && cli.err().contains("config.properties"), cli.err());
  }

  /// Its recipe is in the run, and what is configured for new ones would be refused.
  @Test
  void aRunGoesOnByItsOwnRecipe() throws IOException {
    String run = folder.resolve("run").toString();
    String[] train = {
      "train", "resnet8", "--data", "digits", "--width", "4", "--epochs", "1", "--out", run, "-q"
    };
    Cli trained = Cli.run(train);
    assertEquals(Exit.DONE, trained.code(), trained.err());
    assertEquals("", trained.err(), "quiet");
    assertTrue(trained.out().contains("test error"), trained.out());
    Cli resumed =
        Cli.run(
            configured("train.batch = 32\ntrain.epochs = 9\n"), "train", "--resume", run, "--json");
    assertEquals(Exit.DONE, resumed.code(), resumed.err());
    assertEquals(1, resumed.json().path("epochs").asInt());
  }

  @Test
  void aFailureSaysWhereItCameFromIfAsked() {
    Cli brief = Cli.run("report", "./none");
    assertFalse(brief.err().contains("\tat "), brief.err());
    Cli verbose = Cli.run("report", "./none", "--verbose");
    assertEquals(Exit.BAD_FILE, verbose.code());
    assertTrue(verbose.err().contains("\tat "), verbose.err());
  }

  /// Errors of the JVM have a message and a code too: here there is no library for the platform,
  /// and no heap for the data.
  @ParameterizedTest
  @CsvSource({
    "-Dorg.bytedeco.javacpp.platform=none, 4, libtorch could not be loaded",
    "-Xmx16m, 4, heap of",
  })
  void whatTheMachineLacksIsSaid(String lacking, int code, String says) throws Exception {
    List<String> command =
        Cli.command(
            System.getProperty("java.class.path"),
            List.of(
                "train",
                "gru",
                "--data",
                "text:" + Files.writeString(folder.resolve("long"), "to be ".repeat(1_000_000)),
                "--out",
                folder.resolve("run").toString()));
    command.add(command.indexOf("-cp"), lacking);
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(code, process.waitFor(), said);
    assertTrue(said.contains(says) && !said.contains("\tat "), said);
  }

  @Test
  void completionsAreTheSameInEveryLocale() {
    String script = Cli.run("completion", "bash").out();
    Locale user = Locale.getDefault();
    Locale.setDefault(Locale.of("fa", "IR"));
    try {
      assertEquals(script, Cli.run("completion", "bash").out());
      assertEquals(Locale.of("fa", "IR"), Locale.getDefault(Locale.Category.FORMAT));
    } finally {
      Locale.setDefault(user);
    }
  }

  /// Asks bash itself what it would complete: commands, options, values and files.
  @Test
  void bashCompletes() throws Exception {
    Path bash = Path.of("/bin/bash");
    assumeTrue(Files.isExecutable(bash), "there is no bash here");
    Path script = folder.resolve("completion");
    Files.writeString(script, Cli.run("completion", "bash").out());
    Files.createDirectories(folder.resolve("pictures"));
    // Inside of a completion compopt tells bash how to go on; outside it would complain.
    var ask = new StringBuilder("source %s; compopt() { :; }\n".formatted(script));
    var expected = new ArrayList<String>();
    for (String[] each :
        new String[][] {
          {"tra", "train"},
          {"data ge", "get"},
          {"eval --mod", "--model"},
          {"train resnet20 --schedule one", "one-cycle"},
          {"train --watch resp", "responses"},
          {"train --optimizer ada", "adam adamw"},
          {"train ln-l", "ln-lstm"},
          {"lab degr", "degradation"},
          {"data get fash", "fashion-mnist"},
          {"train --data fash", "fashion-mnist"},
          {"train --data ./pic", "./pictures"},
          {"train --out ./pic", "./pictures"},
          {"report ./pic", "./pictures"}
        }) {
      String[] words = ("fathom " + each[0]).split(" ");
      ask.append(
          "COMP_WORDS=(%s); COMP_CWORD=%s; COMP_LINE='%s'; COMPREPLY=(); _complete_fathom; echo \"${COMPREPLY[*]}\"\n"
              .formatted(String.join(" ", words), words.length - 1, "fathom " + each[0]));
      expected.add(each[1]);
    }
    assertEquals(expected, List.of(says(bash.toString(), "-c", ask.toString()).split("\\R")));
  }

  /// Types into a zsh in a terminal of its own, and presses the tabulator.
  @Test
  void zshCompletes() throws Exception {
    Path zsh = Path.of("/bin/zsh");
    assumeTrue(Files.isExecutable(zsh), "there is no zsh here");
    Path script = folder.resolve("completion");
    Files.writeString(script, Cli.run("completion", "zsh").out());
    Files.createDirectories(folder.resolve("pictures"));
    var type =
        new StringBuilder(
            """
            zmodload zsh/zpty
            TERM=dumb zpty terminal %1$s -f -i
            zpty -w terminal "PS1= ; source %2$s; print rea''dy"
            zpty -r -m terminal out '*ready*'
            complete() {
              zpty -w -n terminal "$1"$'\\t'
              zpty -r -m terminal out "*$2*" && print -r -- "$2"
              zpty -w -n terminal $'\\C-u'
            }
            """
                .formatted(zsh, script));
    List<String> expected =
        List.of(
            "fathom train",
            "fathom data get",
            "fathom train --schedule one-cycle",
            "fathom train --data ./pictures");
    for (String line : expected) {
      type.append("complete '%s' '%s'%n".formatted(line.substring(0, line.length() - 2), line));
    }
    assertEquals(expected, List.of(says(zsh.toString(), "-f", "-c", type.toString()).split("\\R")));
  }

  /// What a command prints.
  private String says(String... command) throws Exception {
    Path answer = folder.resolve("answer");
    Process process =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(answer.toFile())
            .start();
    if (!process.waitFor(60, TimeUnit.SECONDS)) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly().waitFor();
    }
    code = process.exitValue();
    return Files.readString(answer).strip();
  }

  /// Of every command at every level, and with an example. A lone percent sign in a description is
  /// a broken format: picocli warns on the JVM's own standard error.
  @Test
  void everyHelpIsPrintedWithoutAWarning() {
    var commands = new ArrayList<String>();
    named(Main.commandLine(), commands);
    assertTrue(commands.containsAll(List.of("", "train", "data get")), commands.toString());
    var warnings = new ByteArrayOutputStream();
    PrintStream before = System.err;
    System.setErr(new PrintStream(warnings, true, StandardCharsets.UTF_8));
    try {
      for (String command : commands) {
        Cli cli = Cli.run((command + " --help").strip().split(" "));
        assertEquals(Exit.DONE, cli.code(), command + ": " + cli.err());
        assertEquals("", cli.err(), command);
        assertFalse(cli.out().contains("%%"), cli.out());
        List<String> lines = cli.out().lines().toList();
        assertTrue(lines.size() <= 45, "%s has %s lines".formatted(command, lines.size()));
        for (String line : lines) {
          assertTrue(line.codePointCount(0, line.length()) <= CommandHelp.COLUMNS, line);
        }
        String examples = cli.out().substring(Math.max(0, cli.out().indexOf("\nExample")));
        assertTrue(
            examples.startsWith("\nExample") && examples.contains("fathom " + command),
            command + " has no example:\n" + cli.out());
      }
    } finally {
      System.setErr(before);
    }
    assertEquals("", warnings.toString(StandardCharsets.UTF_8));
  }

  /// `--help` names every option, and `--help-all` describes it.
  @Test
  void everyOptionHasItsPlaceInBothHelps() {
    var commands = new ArrayList<String>();
    named(Main.commandLine(), commands);
    for (String command : commands) {
      String brief = Cli.run((command + " --help").strip().split(" ")).out();
      Cli cli = Cli.run((command + " --help-all").strip().split(" "));
      assertEquals(Exit.DONE, cli.code(), command + ": " + cli.err());
      CommandLine line = Main.commandLine();
      for (String name : command.split(" ")) {
        line = line.getSubcommands().getOrDefault(name, line);
      }
      for (var option : line.getCommandSpec().options()) {
        assertTrue(brief.contains(option.longestName()), command + " " + option.longestName());
        String described = String.join(" ", option.description()).replaceAll("\\s+", " ");
        assertTrue(
            cli.out().replaceAll("\\s+", " ").contains(described.replace("%%", "%")),
            command + " does not say: " + described);
      }
    }
  }

  /// All commands, as they are written behind `fathom`.
  private static void named(CommandLine line, List<String> all) {
    all.add(line.getCommandSpec().qualifiedName(" ").replaceFirst("fathom ?", ""));
    line.getSubcommands().values().forEach(below -> named(below, all));
  }

  /// A class path without the natives of libtorch, as a build for another platform has it.
  @ParameterizedTest
  @CsvSource({"doctor", "train resnet8 --data digits --dry-run"})
  void aMissingNativeLibraryIsExplained(String args) throws Exception {
    String classPath =
        Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(path -> !path.matches(".*pytorch-[^/\\\\]*-[a-z]+-[^/\\\\]*\\.jar"))
            .collect(Collectors.joining(File.pathSeparator));
    List<String> command = Cli.command(classPath, List.of(args.split(" ")));
    String said = says(command.toArray(String[]::new));
    assertEquals(Exit.NATIVE, code, said);
    assertTrue(said.contains("libtorch c") && said.contains("jnitorch"), said);
    assertFalse(said.contains("\tat "), said);
  }

  /// Nobody has read what a full disk did not take.
  @ParameterizedTest
  @ValueSource(strings = {"--version", "--help", "data list --json", "completion bash", "lab"})
  void anAnswerThatCannotBeWrittenIsAFailure(String args) {
    var full =
        new OutputStream() {
          @Override
          public void write(int b) throws IOException {
            throw new IOException("No space left on device");
          }
        };
    var err = new StringWriter();
    int code =
        Main.execute(
            _ -> null,
            new PrintWriter(full, false, StandardCharsets.UTF_8),
            new PrintWriter(err),
            args.split(" "));
    assertEquals(Exit.FAILED, code, args);
    assertTrue(err.toString().contains("standard output cannot be written"), err.toString());
  }

  /// Who stops reading has what was wanted: `fathom models | head -1`. A device that is full has
  /// not, and is told.
  @ParameterizedTest
  @CsvSource({"true, 0", "full, 1"})
  void aReaderThatIsGoneIsNoFailure(String reader, int expected) throws Exception {
    assumeTrue(Files.isExecutable(Path.of("/bin/sh")), "pipes are a shell's");
    for (String args : List.of("models", "--help", "models resnet20 --json")) {
      Path ended = folder.resolve("ended");
      String call = "{ \"$@\" 2>\"$0.err\"; echo $? >\"$0\"; }";
      String shell = call + (reader.equals("true") ? " | true" : " >/dev/full");
      var command = new ArrayList<>(List.of("/bin/sh", "-c", shell, ended.toString()));
      command.addAll(Cli.command(System.getProperty("java.class.path"), List.of(args.split(" "))));
      says(command.toArray(String[]::new));
      String error = Files.readString(folder.resolve("ended.err"));
      assertEquals(expected, Integer.parseInt(Files.readString(ended).strip()), error);
      assertEquals(expected != 0, error.contains("standard output cannot be written"), error);
    }
  }

  /// What computes nothing waits for no library.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "--version",
        "--help",
        "train --help",
        "models",
        "models resnet50 --shortcut C --norm weight",
        "models ln-lstm",
        "models ln-gru --input 1x8x8",
        "data list",
        "lab",
        "completion bash",
        "weights info weights.th",
        "weights info folder --json",
        "weights info text.safetensors",
        "weights info masks.safetensors",
        "weights info numbers.pt",
      })
  void whatComputesNothingLoadsNoEngine(String args) throws Exception {
    List<String> command =
        Cli.command(System.getProperty("java.class.path"), List.of(args.split(" ")));
    WeightFiles.write(folder);
    writeNets();
    Path loaded = folder.resolve("loaded");
    command.add(1, "-Xlog:class+load:file=" + loaded);
    String said = says(command.toArray(String[]::new));
    assertEquals(Exit.DONE, code, said);
    List<String> classes = Files.readAllLines(loaded);
    assertTrue(classes.stream().anyMatch(line -> line.contains(" fathom.cli.Main ")));
    assertEquals(
        List.of(), classes.stream().filter(line -> line.contains(" org.bytedeco.")).toList());
  }

  private void writeNets() {
    try (var _ = Scope.open()) {
      var small = new Architecture.Options(null, null, null, 4, 1);
      Init zeros = Init.zeros();
      Node text = Architecture.text("transformer", small).build(zeros);
      Weights.write(folder.resolve("text.safetensors"), text, Map.of());
      Node masks = Architecture.masks("masknet", Architecture.Options.NONE).build(zeros);
      Weights.write(folder.resolve("masks.safetensors"), masks, Map.of());
      Weights.writeForTorch(
          folder.resolve("numbers.pt"), Architecture.images("mlp", small).build(zeros));
    }
  }

  /// No shell expands it there.
  @ParameterizedTest
  @CsvSource({
    "data info images:~/none/of/it",
    "data info ~/none/of/it",
    "data info text:~/none/of/it",
    "data info masks:~/none/of/it",
    "train --resume=~/none/of/it",
    "report ~/none/of/it",
  })
  void aTildeIsTheHomeFolder(String args) {
    Cli cli = Cli.run(args.split(" "));
    assertTrue(
        cli.err().contains(Path.of(System.getProperty("user.home"), "none/of/it").toString()),
        cli.err());
  }

  /// The list of commands shows the first line of a description.
  @Test
  void everyCommandIsDescribedByWholeSentences() {
    var commands = new ArrayList<CommandLine>(List.of(Main.commandLine()));
    for (int i = 0; i < commands.size(); i++) {
      String[] lines = commands.get(i).getCommandSpec().usageMessage().description();
      assertTrue(lines[0].endsWith("."), String.join("\n", lines));
      commands.addAll(commands.get(i).getSubcommands().values());
    }
    assertTrue(commands.size() > 15, commands.size() + " commands");
  }

  @Test
  void theVersionNamesTheLibraries() {
    String version = Cli.run("--version").out();
    for (String part : new String[] {"Fathom", "libtorch 2.", "JavaCPP 1.", "OpenJDK"}) {
      assertTrue(version.contains(part), version);
    }
  }
}
