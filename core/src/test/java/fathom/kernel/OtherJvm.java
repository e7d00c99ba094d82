package fathom.kernel;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/// Test classes in a process with other flags: which form the kernels have, and how wide a vector
/// is, is settled when a JVM starts.
final class OtherJvm {
  private static final String FLAGS = "fathom.jvm.args";
  private static final String LONG = "fathom.long";

  private OtherJvm() {}

  /// Runs the test classes that it is given; exit code 1 and a summary if one fails, or none runs.
  public static void main(String... classes) {
    var request = LauncherDiscoveryRequestBuilder.request();
    for (String name : classes) {
      request.selectors(selectClass(name));
    }
    var listener = new SummaryGeneratingListener();
    LauncherFactory.create().execute(request.build(), listener);
    var summary = listener.getSummary();
    var out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
    summary.printFailuresTo(out, 5);
    out.println(summary.getTestsSucceededCount() + " tests succeeded");
    boolean good = summary.getTotalFailureCount() == 0 && summary.getTestsSucceededCount() > 0;
    System.exit(good ? 0 : 1);
  }

  /// How it ended.
  record Ended(int exitCode, String output) {}

  /// The classes in a JVM with the flags of every JVM that runs Fathom, but those that `without`
  /// names, and `more`.
  static Ended run(List<String> without, List<String> more, String... tests)
      throws IOException, InterruptedException {
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    try (Stream<String> flags = Files.lines(Path.of(System.getProperty(FLAGS)))) {
      flags.filter(flag -> flag.startsWith("-") && !without.contains(flag)).forEach(command::add);
    }
    command.addAll(more);
    command.add("-D%s=%s".formatted(FLAGS, System.getProperty(FLAGS)));
    command.add("-D%s=%s".formatted(LONG, Boolean.getBoolean(LONG)));
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(OtherJvm.class.getName());
    command.addAll(List.of(tests));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Ended(process.waitFor(), output);
  }
}
