package fathom.cli;

import com.sun.management.OperatingSystemMXBean;
import fathom.DType;
import fathom.DeviceException;
import fathom.Scope;
import fathom.Tensor;
import fathom.parallel.Launch;
import fathom.train.Machine;
import fathom.train.Precision;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
    name = "doctor",
    description = {
      "Finds out what this machine has for Fathom and what it lacks, with the remedy.",
      "The exit code is 4 if something is missing without which nothing can be trained."
    },
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {"  fathom doctor", "  fathom doctor --json"})
final class DoctorCommand implements Callable<Integer> {
  static final int OLDEST_JDK = 25;

  /// The memory in bytes below which a note is printed: ResNet-20 at batch size 128 takes 0.6 GB,
  /// and libtorch takes 0.3 GB for itself.
  private static final long LEAST_MEMORY = 2L << 30;

  /// The instruction sets that libtorch and Fathom's kernels use, under Linux's names.
  private static final List<String> SIMD =
      List.of("avx2", "fma", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "sve", "bf16");

  /// The folder in which NVIDIA's driver lists the graphics processors that it found.
  private static final Path GRAPHICS = Path.of("/proc/driver/nvidia/gpus");

  @Mixin private final Output output = new Output();

  /// The answer of `--json`.
  ///
  /// @param libtorch its version; null if it cannot be loaded
  /// @param simd the instruction sets that the processor reports and that libtorch or Fathom uses
  /// @param launcher what started this process, if it is one of several
  /// @param bf16 whether the processor itself computes in bfloat16
  record Answer(
      String jdk,
      @Nullable String libtorch,
      String processor,
      int cores,
      List<String> simd,
      boolean bf16,
      Memory memory,
      List<String> devices,
      String launcher,
      List<Problem> problems) {}

  /// Memory in bytes: the total of the machine or of the container, what is free now, and the
  /// maximum of the JVM's heap.
  record Memory(long total, long free, long heap) {}

  /// A problem of this machine and its remedy.
  ///
  /// @param fatal whether nothing can be trained because of it
  record Problem(String what, String remedy, boolean fatal) {}

  @Override
  public Integer call() {
    var problems = new ArrayList<Problem>();
    if (Runtime.version().feature() < OLDEST_JDK) {
      problems.add(
          new Problem(
              "the JDK has version %s, but %s is needed"
                  .formatted(Runtime.version().feature(), OLDEST_JDK),
              "install a JDK %s and set JAVA_HOME to it".formatted(OLDEST_JDK),
              true));
    }
    String libtorch = libtorch(problems);
    List<String> simd = simd();
    boolean bf16 = bf16();
    if (!simd.isEmpty() && !simd.contains("avx2") && !simd.contains("asimd")) {
      problems.add(
          new Problem(
              "the processor has neither AVX2 nor ASIMD",
              "it works, but several times slower than on a processor with them",
              false));
    }
    if (!bf16) {
      problems.add(
          new Problem(
              "the processor does not compute in bfloat16", "train with --precision fp32", false));
    }
    if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
      problems.add(
          new Problem(
              "the JVM was started without its vector module, so libtorch's slower operations run",
              "start Fathom by ./fathom, or java with --add-modules jdk.incubator.vector",
              false));
    }
    List<String> graphics = graphics();
    if (!graphics.isEmpty()) {
      problems.add(
          new Problem(
              "there is %s, which nothing is computed on".formatted(String.join(", ", graphics)),
              "this version computes on the processor",
              false));
    }
    Memory memory = memory();
    if (memory.total < LEAST_MEMORY) {
      problems.add(
          new Problem(
              String.format(Locale.ROOT, "there are %.1f GB of memory", memory.total / 1e9),
              "ResNet-20 at batch 128 needs about 1 GB beside the system: take a smaller --batch",
              false));
    }
    String jdk = System.getProperty("java.vm.name") + " " + System.getProperty("java.version");
    var answer =
        new Answer(
            jdk,
            libtorch,
            Machine.processorName(),
            Runtime.getRuntime().availableProcessors(),
            simd,
            bf16,
            memory,
            List.of("cpu"),
            launcher(problems),
            problems);
    output.answer(answer, () -> show(answer));
    return problems.stream().anyMatch(Problem::fatal) ? Exit.NATIVE : Exit.DONE;
  }

  /// Returns what started this process, in one line.
  private static String launcher(List<Problem> problems) {
    try {
      return Launch.here().toString();
    } catch (IllegalArgumentException e) {
      problems.add(
          new Problem(
              "the launcher's variables in the environment are incomplete or contradict each other",
              String.valueOf(e.getMessage()),
              true));
      return "not understood";
    }
  }

  /// Returns the models of the graphics processors that NVIDIA's driver lists.
  private static List<String> graphics() {
    var found = new ArrayList<String>();
    try (var cards = Files.newDirectoryStream(GRAPHICS)) {
      for (Path card : cards) {
        found.add(
            Files.readAllLines(card.resolve("information")).stream()
                .filter(line -> line.startsWith("Model:"))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse("a graphics processor"));
      }
    } catch (IOException e) {
      return found; // there is no driver
    }
    return found;
  }

  /// Loads the native library, checks it on a product whose result is known, and returns its
  /// version. Adds a problem and returns null if it cannot be loaded.
  private static @Nullable String libtorch(List<Problem> problems) {
    try (var _ = Scope.open()) {
      Tensor ones = Tensor.zeros(DType.FLOAT32, 3, 3).plus(1);
      double nine = ones.matmul(ones).toDoubles()[0] * 3;
      if (nine != 9) {
        problems.add(
            new Problem(
                "libtorch computes 3 · 3 = " + nine,
                "the native libraries do not fit this processor; delete ~/.javacpp and start again",
                true));
      }
      return Machine.here().libtorch();
    } catch (LinkageError e) {
      Throwable root = e;
      while (root.getCause() != null) {
        root = root.getCause();
      }
      problems.add(
          new Problem(
              "libtorch cannot be loaded on %s %s: %s"
                  .formatted(
                      System.getProperty("os.name"),
                      System.getProperty("os.arch"),
                      String.valueOf(root.getMessage()).lines().findFirst().orElse("")),
              "the build takes the natives of the machine that it runs on (see -Djavacpp.platform"
                  + " in the README): build here, with glibc 2.35 or newer and room in ~/.javacpp",
              true));
      return null;
    }
  }

  private static List<String> simd() {
    try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      List<String> has =
          lines
              .filter(line -> line.startsWith("flags") || line.startsWith("Features"))
              .findFirst()
              .map(line -> Arrays.asList(line.substring(line.indexOf(':') + 1).strip().split(" +")))
              .orElse(List.of());
      return SIMD.stream().filter(has::contains).toList();
    } catch (IOException | UncheckedIOException e) {
      return List.of(); // this is not Linux
    }
  }

  private static boolean bf16() {
    try {
      Precision.BF16.check();
      return true;
    } catch (DeviceException e) {
      return false;
    }
  }

  private static Memory memory() {
    long heap = Runtime.getRuntime().maxMemory();
    return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
        ? new Memory(system.getTotalMemorySize(), system.getFreeMemorySize(), heap)
        : new Memory(heap, heap, heap);
  }

  private void show(Answer a) {
    String sets = a.simd.isEmpty() ? "unknown" : String.join(", ", a.simd);
    line("JDK", a.jdk);
    line("libtorch", a.libtorch == null ? "cannot be loaded" : a.libtorch);
    line("processor", "%s, %s cores".formatted(a.processor, a.cores));
    line("instructions", sets);
    line("bfloat16", a.bf16 ? "yes" : "no");
    line(
        "memory",
        String.format(
            Locale.ROOT,
            "%.1f GB, %.1f of them free; at most %.1f for the JVM's heap",
            a.memory.total / 1e9,
            a.memory.free / 1e9,
            a.memory.heap / 1e9));
    line("devices", String.join(", ", a.devices));
    line("launcher", a.launcher);
    output.out().println();
    if (a.problems.isEmpty()) {
      output.out().println("Nothing is missing.");
    }
    for (Problem problem : a.problems) {
      output.out().println("%s: %s".formatted(problem.fatal ? "problem" : "note", problem.what));
      output.out().println("  " + problem.remedy);
    }
  }

  private void line(String what, String value) {
    output.out().println("%-13s %s".formatted(what, value));
  }
}
