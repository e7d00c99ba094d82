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

/// How a series of experiments is run.
public final class Laboratory {
  private Laboratory() {}

  /// Hears how a series goes.
  public interface Watcher {
    /// An experiment begins, or another of its seeds ended; `done` of `of` seeds of the whole
    /// series. Called by one thread.
    void at(String experiment, int done, int of);

    /// A finding is written, or was there.
    void found(Finding finding, boolean wasThere);
  }

  /// Runs those experiments that have no finding of this size, these seeds and this version in the
  /// ledger, or all if `again`; writes each finding when it ends, and the report behind it. Returns
  /// the findings, fewer than experiments if `stop` asked to stop.
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
            // The other cores are the other seeds', and a finding shall not depend on their
            // number.
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

  /// Writes the charts of findings into `folder`, which is made if it is missing, as images for a
  /// document: `NAME-1.svg`, `NAME-2.svg` and on, in the order of the report. Returns the files.
  /// Throws [BadFileException] if one cannot be written.
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

  /// The findings of a ledger that can be read, in the order of the experiments; what is wrong with
  /// the others goes to `wrong`.
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
