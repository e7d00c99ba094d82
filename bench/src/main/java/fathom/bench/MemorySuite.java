package fathom.bench;

import fathom.net.Architecture;
import fathom.train.Precision;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Measures the peak of the resident memory of a training: a few steps in a fresh process,
/// including the JVM and the native libraries.
public final class MemorySuite {
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final String PEAK = "VmHWM:";
  private static final int STEPS = 3;

  private MemorySuite() {}

  /// Returns why the peak cannot be measured on this machine, or null if it can.
  public static @Nullable String unavailable() {
    return Files.isReadable(STATUS)
        ? null
        : "memory: the peak of a process is only known on Linux (%s); it is left out"
            .formatted(STATUS);
  }

  /// Trains `net` and returns the peak, beside that of PyTorch after as many steps. Throws
  /// `IllegalStateException`, with the first line of its standard error, if the process fails.
  ///
  /// @param name the name of the result
  /// @param net the net
  /// @param batch images in a batch
  /// @param workers threads that share the batch
  /// @param recompute blocks that are recomputed at a time, 0 for none
  /// @param precision of the values between layers
  public static List<Result> run(
      String name,
      Architecture.Convolutional net,
      int batch,
      int workers,
      int recompute,
      Precision precision,
      Peers peers) {
    double megabytes = megabytes(net, batch, workers, recompute, precision);
    try (var lineup = new Peers.Lineup()) {
      for (String form : List.of("nchw", "channels-last", "channels-last-compile")) {
        peers.python(
            lineup,
            Peers.PYTORCH,
            form,
            "resnet.py",
            "train",
            net.name(),
            form,
            TrainSuite.spelled(precision),
            Integer.toString(batch),
            Integer.toString(workers),
            Integer.toString(STEPS));
      }
      double[] peaks = lineup.peaks();
      double[][] runs = new double[peaks.length][];
      Arrays.setAll(runs, i -> new double[] {peaks[i]});
      return lineup.results(
          runs, 0, (peer, theirs) -> Result.ofMemory("memory", name, megabytes, peer, theirs));
    }
  }

  /// Returns the peak of a process that trains `net` for a few steps, in MB of a million bytes.
  static double megabytes(
      Architecture.Convolutional net, int batch, int workers, int recompute, Precision precision) {
    precision.check();
    String answer =
        Child.run(
            MemorySuite.class,
            net.name(),
            Integer.toString(batch),
            Integer.toString(workers),
            Integer.toString(recompute),
            precision.name());
    return Long.parseLong(answer) / 1e6;
  }

  /// The program that is measured: trains for a few steps and prints its peak in bytes.
  public static void main(String[] arguments) {
    var net = Architecture.Convolutional.named(arguments[0]);
    TrainSuite.ours(
            net,
            Integer.parseInt(arguments[1]),
            Integer.parseInt(arguments[2]),
            Integer.parseInt(arguments[3]),
            Precision.valueOf(arguments[4]),
            STEPS)
        .close();
    System.out.println(peak());
  }

  /// Returns the bytes of the peak of this process.
  static long peak() {
    try {
      return peak(Files.readString(STATUS, StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Returns the bytes of a line such as `VmHWM: 51234 kB`, where a kB is 1024 bytes. Throws
  /// `IllegalStateException` if there is none.
  static long peak(String status) {
    String line =
        status
            .lines()
            .filter(each -> each.startsWith(PEAK))
            .findFirst()
            .orElseThrow(() -> new IllegalStateException("there is no " + PEAK + " in " + STATUS));
    String number = line.substring(PEAK.length()).strip().replaceFirst(" *kB$", "");
    return Math.multiplyExact(Long.parseLong(number), 1024L);
  }
}
