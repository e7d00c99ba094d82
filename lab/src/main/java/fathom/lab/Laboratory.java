package fathom.lab;

import fathom.io.AtomicFile;
import fathom.io.BadFileException;
import fathom.lab.experiment.Experiments;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Finding;
import fathom.lab.ledger.Ledger;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.parallel.Cores;
import fathom.report.ChartImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// Runs a series of experiments and writes their findings, their report and their charts.
public final class Laboratory {
  private Laboratory() {}

  /// Receives the progress of a series.
  public interface Watcher {
    /// Is called when an experiment begins and after each of its seeds; `done` of `of` seeds of the
    /// whole series have ended. One thread calls it.
    void at(String experiment, int done, int of);

    /// Is called when a finding is written, or when the ledger already has it.
    void found(Finding finding, boolean wasThere);
  }

  /// Runs the experiments that have no finding of this size, these seeds and this version in the
  /// ledger, or all experiments if `again`. It writes each finding as soon as its experiment ends,
  /// and then the report. The seeds of an experiment run side by side.
  ///
  /// @return the findings, fewer than experiments if `stop` asked to stop
  /// @throws IllegalArgumentException if there is no seed
  /// @throws IllegalStateException if an experiment fails with a checked exception or is
  ///   interrupted; its runtime exceptions and errors are thrown as they are
  public static List<Finding> run(
      List<Experiment> experiments,
      Size size,
      List<Long> seeds,
      Ledger ledger,
      boolean again,
      Watcher watcher,
      BooleanSupplier stop) {
    if (seeds.isEmpty()) {
      throw new IllegalArgumentException(
          "an experiment needs at least one seed, but there is none");
    }
    var findings = new ArrayList<Finding>();
    int total = experiments.size() * seeds.size();
    var over = new AtomicBoolean();
    BooleanSupplier halted = () -> over.get() || stop.getAsBoolean();
    try (var pool = Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors())) {
      try {
        var trials = new ArrayList<Trial>();
        for (Experiment experiment : experiments) {
          Optional<Finding> there = again ? Optional.empty() : ledger.read(experiment, size, seeds);
          trials.add(
              new Trial(
                  experiment,
                  there.orElse(null),
                  there.isPresent() ? List.of() : begun(pool, experiment, size, seeds, halted)));
        }
        for (Trial trial : trials) {
          int done = findings.size() * seeds.size();
          String name = trial.experiment.name();
          watcher.at(name, done, total);
          Finding finding = trial.there;
          if (finding == null) {
            finding = ended(trial, size, seeds, count -> watcher.at(name, done + count, total));
            ledger.write(trial.experiment, finding);
            LabReport.of(ledger).write(ledger.index());
          }
          findings.add(finding);
          watcher.found(finding, trial.there != null);
        }
      } finally {
        over.set(true); // what still computes need not be waited for
        pool.shutdownNow();
      }
    } catch (Notebook.Stopped _) {
      return findings;
    }
    LabReport.of(ledger).write(ledger.index());
    return findings;
  }

  /// An experiment of the series.
  ///
  /// @param there its finding, if the ledger has it
  /// @param seeds else what each of its seeds comes to
  private record Trial(Experiment experiment, @Nullable Finding there, List<Future<Seed>> seeds) {}

  /// What a seed observed, and when, by [System#nanoTime].
  private record Seed(Notebook notebook, long began, long ended) {}

  private interface Ended {
    void seeds(int count);
  }

  /// Puts all seeds of an experiment behind those of the experiments before it, so that no core is
  /// idle while the last seed of an experiment computes.
  private static List<Future<Seed>> begun(
      ExecutorService pool,
      Experiment experiment,
      Size size,
      List<Long> seeds,
      BooleanSupplier halted) {
    var futures = new ArrayList<Future<Seed>>();
    for (long seed : seeds) {
      futures.add(
          pool.submit(() -> {
            long began = System.nanoTime();
            var notebook = new Notebook(seed, halted);
            notebook.alive();
            // Each seed computes on one core, because the other cores belong to the other seeds,
            // and because a finding must not depend on the number of cores.
            Cores.alone(() -> experiment.observe(size, seed, notebook));
            return new Seed(notebook, began, System.nanoTime());
          }));
    }
    return futures;
  }

  private static Finding ended(Trial trial, Size size, List<Long> seeds, Ended ended) {
    String name = trial.experiment.name();
    var all = new ArrayList<Seed>();
    try {
      for (Future<Seed> future : trial.seeds) {
        all.add(future.get());
        ended.seeds(all.size());
      }
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case RuntimeException cause -> throw cause;
        case Error cause -> throw cause;
        case null, default -> throw new IllegalStateException(name + " failed: " + e.getCause(), e);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(name + " was interrupted", e);
    }
    long began = all.getFirst().began;
    double seconds = all.stream().mapToLong(seed -> seed.ended - began).max().orElseThrow() / 1e9;
    String now = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
    List<Notebook> notebooks = all.stream().map(Seed::notebook).toList();
    return Finding.of(trial.experiment.statement(), size, seeds, notebooks, seconds, now);
  }

  /// Writes the charts of findings into `folder` as images for a document: `NAME-1.svg`,
  /// `NAME-2.svg` and so on, in the order of the report. The folder is made if it is missing.
  /// Returns the files. Throws [BadFileException] if the folder or a file cannot be written.
  public static List<Path> charts(List<Finding> findings, Path folder) {
    var files = new ArrayList<Path>();
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new BadFileException(
          folder, "charts go into a folder, but it cannot be made: " + AtomicFile.reason(e), e);
    }
    for (Finding finding : findings) {
      for (int i = 0; i < finding.charts().size(); i++) {
        Path file = folder.resolve("%s-%s.svg".formatted(finding.experiment(), i + 1));
        String svg = ChartImage.svg(finding.charts().get(i));
        AtomicFile.replace(file, svg.getBytes(StandardCharsets.UTF_8));
        files.add(file);
      }
    }
    return files;
  }

  /// Returns the findings of a ledger that can be read, in the order of the experiments, and adds
  /// the errors of the others to `wrong`.
  static List<Finding> findings(Ledger ledger, List<String> wrong) {
    var findings = new ArrayList<Finding>();
    for (Experiment experiment : Experiments.all()) {
      try {
        ledger.read(experiment).ifPresent(findings::add);
      } catch (BadFileException e) {
        wrong.add(e.getMessage());
      }
    }
    return findings;
  }
}
