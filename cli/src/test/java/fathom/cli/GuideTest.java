package fathom.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.data.DataSet;
import fathom.data.Images;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Runs the commands of `docs/guide` and of the README, in the order of the pages and in one
/// folder, and compares what they print with the pages, numbers aside.
///
/// In a block of `console` a line that begins with `$ ` is a command, and the lines behind it are
/// what it prints; a line `...` stands for any lines, and `^C` for a Ctrl-C after the first epoch.
/// A command that stands twice runs once. A block of `sh` is not run, and the line before it says
/// why. `mvn -pl core,report,lab,bench,serve,cli test -Dtest=GuideTest
/// -Dsurefire.failIfNoSpecifiedTests=false -Dfathom.guide=write` writes anew what is printed.
class GuideTest {
  private static final Path ROOT = Path.of(System.getProperty("fathom.root"));
  private static final String NOT_RUN = "Not run by the tests";
  private static final boolean WRITES = "write".equals(System.getProperty("fathom.guide"));

  /// Vectors are fast only once the compiler has worked for seconds, which short commands do not
  /// need: a training takes a third of the processor's time in libtorch's operations.
  private static final String QUICK = "-Dfathom.kernels=torch -XX:TieredStopAtLevel=1";

  private static final Pattern BLOCK =
      Pattern.compile("^```([a-z]*)\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);
  private static final List<String> CLASSES =
      List.of("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine");

  @TempDir private Path folder;

  /// What has been run, by its command.
  private final Map<String, List<String>> printed = new HashMap<>();

  static List<Path> pages() throws IOException {
    var pages = new ArrayList<Path>();
    try (Stream<Path> files = Files.list(ROOT.resolve("docs").resolve("guide"))) {
      files
          .filter(f -> f.toString().endsWith(".md"))
          .sorted(Comparator.comparingInt(GuideTest::number))
          .forEach(pages::add);
    }
    pages.add(ROOT.resolve("README.md"));
    return pages;
  }

  /// Returns the number before the name of a page, or 0 if it has none.
  private static int number(Path page) {
    String digits = page.getFileName().toString().replaceAll("\\D.*", "");
    return digits.isEmpty() ? 0 : Integer.parseInt(digits);
  }

  @Test
  void theCommandsPrintWhatThePagesShow() throws Exception {
    Assumptions.assumeFalse(
        System.getProperty("os.name").startsWith("Windows"), "signals are POSIX's");
    prepare();
    int commands = 0;
    for (Path page : pages()) {
      String text = Files.readString(page);
      var out = new StringBuilder();
      var block = BLOCK.matcher(text);
      var wrong = new ArrayList<String>();
      while (block.find()) {
        String code = block.group(2);
        if (block.group(1).equals("console")) {
          var written = new StringBuilder();
          for (Call call : calls(code)) {
            commands++;
            List<String> lines = run(call);
            written.append(call.typed());
            call.elided(lines).forEach(line -> written.append(line).append('\n'));
            if (!call.matches(lines)) {
              wrong.add(call.typed() + String.join("\n", lines));
            }
          }
          code = written.toString();
        }
        block.appendReplacement(
            out, Matcher.quoteReplacement("```" + block.group(1) + "\n" + code + "```"));
      }
      block.appendTail(out);
      if (WRITES) {
        Files.writeString(page, out.toString());
      } else {
        assertEquals(List.of(), wrong, ROOT.relativize(page) + " shows something else");
      }
    }
    assertTrue(commands >= 20, "only %s commands were found".formatted(commands));
  }

  @Test
  void whatIsNotRunSaysWhy() throws IOException {
    var silent = new ArrayList<String>();
    for (Path page : pages()) {
      String text = Files.readString(page);
      var block = BLOCK.matcher(text);
      while (block.find()) {
        boolean runs = block.group(1).equals("console");
        boolean calls = block.group(2).lines().anyMatch(line -> line.contains("./fathom"));
        if (!runs && (calls || block.group(1).equals("sh"))) {
          String before = text.substring(0, block.start()).stripTrailing();
          String paragraph =
              before.substring(before.lastIndexOf("\n\n") + 1).replaceAll("\\s+", " ");
          if (!block.group(1).equals("sh") || !paragraph.contains(NOT_RUN)) {
            silent.add(ROOT.relativize(page) + ": " + block.group(2));
          }
        }
      }
    }
    assertEquals(List.of(), silent, "neither a test runs these nor does the text say why");
  }

  /// A command and the lines that a page shows behind it.
  private record Call(String typed, String command, List<String> shown) {
    boolean interrupted() {
      return shown.contains("^C");
    }

    /// The lines, shortened where the page is.
    List<String> elided(List<String> lines) {
      int first = shown.indexOf("...");
      int last = shown.size() - 1 - shown.lastIndexOf("...");
      if (first < 0 || first + last >= lines.size()) {
        return lines;
      }
      var some = new ArrayList<>(lines.subList(0, first));
      some.add("...");
      some.addAll(lines.subList(lines.size() - last, lines.size()));
      return some;
    }

    boolean matches(List<String> lines) {
      var pattern = new StringBuilder();
      for (String line : masked(String.join("\n", shown)).split("\n", -1)) {
        pattern.append(line.equals("...") ? "(.*\n)*?" : Pattern.quote(line) + "\n");
      }
      return Pattern.matches(pattern.toString(), masked(String.join("\n", lines)) + "\n");
    }
  }

  private static List<Call> calls(String block) {
    var calls = new ArrayList<Call>();
    List<String> lines = block.lines().toList();
    for (int i = 0; i < lines.size(); ) {
      assertTrue(lines.get(i).startsWith("$ "), "a command begins with $: " + lines.get(i));
      var typed = new StringBuilder();
      var command = new StringBuilder();
      boolean more;
      do {
        String line = lines.get(i++);
        typed.append(line).append('\n');
        more = line.endsWith("\\");
        command.append(more ? line.substring(0, line.length() - 1) : line);
      } while (more);
      var shown = new ArrayList<String>();
      while (i < lines.size() && !lines.get(i).startsWith("$ ")) {
        shown.add(lines.get(i++));
      }
      String words = command.substring(2).replaceAll("\\s+", " ");
      calls.add(new Call(typed.toString(), words, shown));
    }
    return calls;
  }

  /// Numbers, and the points that stand for none in a table, depend on machine and moment; what is
  /// said of a first Ctrl-C is not said where a signal of another kind stands for it.
  private static String masked(String text) {
    return text.replaceAll("\n\nfinishing this step[^\n]*", "")
        .replaceAll("\\d+([.,]\\d+)*(e-?\\d+)?", "#")
        .replaceAll("(?<=\\s)\\.(?=\\s)", "#")
        .replaceAll("# workers?", "# workers")
        .replaceAll("-{3,}", "---")
        .replaceAll("[ ]+", " ")
        .replaceAll("(?m)^ | $", "")
        .strip();
  }

  private List<String> run(Call call) throws Exception {
    List<String> known = printed.get(call.command);
    if (known != null) {
      return known;
    }
    var builder =
        new ProcessBuilder("/bin/sh", "-c", (call.interrupted() ? "exec " : "") + call.command)
            .directory(folder.toFile())
            .redirectErrorStream(true);
    for (String place : List.of("CONFIG", "CACHE", "DATA")) {
      builder.environment().put("XDG_" + place + "_HOME", folder.resolve("." + place).toString());
    }
    builder.environment().remove("FATHOM_DATA");
    Process process = builder.start();
    var lines = new ArrayList<String>();
    boolean pressed = false;
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        boolean progress = line.startsWith("epoch ");
        boolean passing = line.matches(".*: step \\d+ of \\d+.*") && !line.contains("interrupted");
        if (line.startsWith("WARNING: Using incubator") || passing || (progress && pressed)) {
          continue;
        }
        lines.add(line.stripTrailing());
        if (progress && call.interrupted()) {
          pressed = true;
          lines.add("^C");
          interrupt(process);
        }
      }
    }
    int code = process.waitFor();
    assertTrue(
        call.interrupted() ? code == 130 || code == 143 : code == 0,
        "%s ended with %s: %s".formatted(call.command, code, String.join("\n", lines)));
    printed.put(call.command, lines);
    return lines;
  }

  /// A build that was started in the background may have told its children to ignore SIGINT.
  private static void interrupt(Process process) throws Exception {
    String signal = InterruptionTest.interruptsAreIgnored() ? "-TERM" : "-INT";
    new ProcessBuilder("kill", signal, Long.toString(process.pid())).start().waitFor();
  }

  /// The launcher, images in folders by class, other images, masks, and the licence as a text.
  private void prepare() throws IOException {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    Path launcher = folder.resolve("fathom");
    Files.writeString(
        launcher,
        "#!/bin/sh\nexec '%s' '@%s' %s -cp '%s' fathom.cli.Main \"$@\"\n"
            .formatted(
                java,
                System.getProperty("fathom.jvm.args"),
                WRITES ? "" : QUICK,
                System.getProperty("java.class.path")));
    assertTrue(launcher.toFile().setExecutable(true));
    Files.copy(ROOT.resolve("LICENSE"), folder.resolve("LICENSE"));
    Images digits = DataSet.open("digits").train().images();
    for (int i = 0; i < 600; i++) {
      String name = CLASSES.get(digits.labels()[i]);
      write(digits, i, 1, folder.resolve("photos").resolve(name).resolve((1000 + i) + ".png"));
    }
    for (int i = 600; i < 603; i++) {
      write(digits, i, 5, folder.resolve("new").resolve("%s.png".formatted(i)));
    }
    Files.writeString(folder.resolve("new").resolve("notes.jpg"), "bread, milk");
    for (int i = 0; i < 12; i++) {
      square(folder.resolve("squares"), i < 8 ? "train" : "test", i);
    }
  }

  private static void write(Images images, int i, int scale, Path file) throws IOException {
    Files.createDirectories(file.getParent());
    int side = images.width() * scale;
    var image = new BufferedImage(side, side, BufferedImage.TYPE_BYTE_GRAY);
    for (int y = 0; y < side; y++) {
      for (int x = 0; x < side; x++) {
        int at = i * images.size() + y / scale * images.width() + x / scale;
        image.getRaster().setSample(x, y, 0, images.pixels()[at] & 0xff);
      }
    }
    ImageIO.write(image, "png", file.toFile());
  }

  /// A bright square on a dark, uneven ground, and its mask.
  private static void square(Path folder, String part, int i) throws IOException {
    int side = 32;
    var image = new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB);
    var mask = new BufferedImage(side, side, BufferedImage.TYPE_BYTE_GRAY);
    for (int y = 0; y < side; y++) {
      for (int x = 0; x < side; x++) {
        boolean inside = x >= i && x < i + 14 && y >= 18 - i && y < 32 - i;
        int noise = (x * 31 + y * 17 + i * 7) % 60;
        image.setRGB(
            x, y, (inside ? new Color(230, 230 - noise, 220) : new Color(noise, 20, 90)).getRGB());
        mask.getRaster().setSample(x, y, 0, inside ? 1 : 0);
      }
    }
    Path images = Files.createDirectories(folder.resolve("images").resolve(part));
    Path masks = Files.createDirectories(folder.resolve("masks").resolve(part));
    ImageIO.write(image, "png", images.resolve("square-%s.png".formatted(i)).toFile());
    ImageIO.write(mask, "png", masks.resolve("square-%s.png".formatted(i)).toFile());
  }
}
