package fathom.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.data.DataSet;
import fathom.data.Images;
import java.awt.image.BufferedImage;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Runs the session that `docs/tour.md` records, as processes of their own, and compares what they
/// print with it, numbers aside. `mvn -pl core,lab,bench,cli test -Dtest=TourTest
/// -Dsurefire.failIfNoSpecifiedTests=false -Dfathom.tour=write` writes it anew.
class TourTest {
  private static final Path PAGE = Path.of("..", "docs", "tour.md");
  private static final List<String> CLASSES =
      List.of("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine");

  private static final String BEGINNING =
      """
      # A tour: from a folder of images to answers

      A session of a new user, recorded by `TourTest`, which runs it again at every `./check` and compares all but the numbers. The
      images are the embedded digits as files: `images/zero/0000.png` and so on, a folder for each class, and three more in `new`.

      """;

  /// What is said before a command, the command, and whether Ctrl-C is pressed after an epoch.
  private record Stop(String prose, String command, boolean interrupted) {}

  private static final List<Stop> STOPS =
      List.of(
          new Stop(
              "What would be done, and what does it take? A few steps are made to say so. A fifth"
                  + " of the images of each class is kept for testing, because there are no"
                  + " folders `train` and `test`.",
              "train resnet8 --data images:images --epochs 12 --workers 1 --dry-run",
              false),
          new Stop(
              "Done, and interrupted by Ctrl-C after the first epoch. Nothing is lost.",
              "train resnet8 --data images:images --epochs 12 --workers 1",
              true),
          new Stop(
              "It goes on to the bit as if it had not been interrupted.",
              "train --resume runs/resnet8-images-1 --quiet",
              false),
          new Stop("How good is it, and where does it err?", "eval runs/resnet8-images-1", false),
          new Stop(
              "New images, of another size, and a file that only looks like one. It is named and"
                  + " skipped.",
              "predict runs/resnet8-images-1 new --top 1",
              false),
          new Stop(
              "The report: one file with the curves, who was taken for whom, the worst mistakes as"
                  + " images and the layers, for any browser, without a network. The run has"
                  + " measured all of it; where its images are gone, the report can be made"
                  + " again.",
              "report runs/resnet8-images-1",
              false),
          new Stop(
              "And the net for other programs.",
              "export runs/resnet8-images-1 digits.onnx",
              false));

  @TempDir private Path folder;

  @Test
  void theTourIsAsRecorded() throws Exception {
    Assumptions.assumeFalse(
        System.getProperty("os.name").startsWith("Windows"), "signals are POSIX's");
    images();
    var page = new StringBuilder(BEGINNING);
    for (Stop stop : STOPS) {
      page.append(stop.prose).append("\n```\n$ fathom ").append(stop.command).append('\n');
      run(stop).forEach(line -> page.append(line).append('\n'));
      page.append("```\n\n");
    }
    if ("write".equals(System.getProperty("fathom.tour"))) {
      Files.writeString(PAGE, page.toString().stripTrailing() + "\n");
    }
    assertEquals(masked(Files.readString(PAGE)), masked(page.toString()));
    assertTrue(Files.size(folder.resolve("digits.onnx")) > 0);
  }

  /// Numbers, and the points that stand for none in a table, depend on machine and moment; what is
  /// said of a first Ctrl-C is not said where a signal of another kind stands for it.
  private static String masked(String text) {
    return text.replaceAll("\n\nfinishing this step[^\n]*", "")
        .replaceAll("\\d+([.,]\\d+)*", "#")
        .replaceAll("(?<=\\s)\\.(?=\\s)", "#")
        .replaceAll("[ ]+", " ")
        .strip();
  }

  private void images() throws IOException {
    Images digits = DataSet.open("digits").train().images();
    for (int i = 0; i < 600; i++) {
      String name = CLASSES.get(digits.labels()[i]);
      write(digits, i, 1, folder.resolve("pictures").resolve(name).resolve((1000 + i) + ".png"));
    }
    for (int i = 600; i < 603; i++) {
      write(digits, i, 5, folder.resolve("new").resolve("%s.png".formatted(i)));
    }
    Files.writeString(folder.resolve("new").resolve("notes.jpg"), "bread, milk");
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

  /// What the command prints, progress left out but for one line of it.
  private List<String> run(Stop stop) throws Exception {
    List<String> command =
        Cli.command(System.getProperty("java.class.path"), List.of(stop.command.split(" ")));
    var builder = new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true);
    builder.environment().put("XDG_CONFIG_HOME", folder.resolve("none").toString());
    Process process = builder.start();
    var lines = new ArrayList<String>();
    boolean pressed = false;
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        boolean progress = line.startsWith("epoch ") || line.startsWith("resnet8: step");
        if (line.startsWith("WARNING: Using incubator modules") || (progress && pressed)) {
          continue;
        }
        lines.add(line.stripTrailing());
        if (progress && stop.interrupted) {
          pressed = true;
          lines.add("^C");
          interrupt(process);
        }
      }
    }
    process.waitFor();
    return lines;
  }

  /// A build that was started in the background may have told its children to ignore SIGINT.
  private static void interrupt(Process process) throws Exception {
    String signal = InterruptionTest.interruptsAreIgnored() ? "-TERM" : "-INT";
    new ProcessBuilder("kill", signal, Long.toString(process.pid())).start().waitFor();
  }
}
