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
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;

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
    try {
      for (Experiment experiment : experiments) {
        int done = findings.size() * seeds.size();
        watcher.at(experiment.name(), done, total);
        Optional<Finding> there = again ? Optional.empty() : ledger.read(experiment, size, seeds);
        Finding finding =
            there.isPresent()
                ? there.get()
                : run(
                    experiment,
                    size,
                    seeds,
                    stop,
                    seed -> watcher.at(experiment.name(), done + seed, total));
        if (there.isEmpty()) {
          ledger.write(experiment, finding);
          LabReport.of(ledger).write(ledger.index());
        }
        findings.add(finding);
        watcher.found(finding, there.isPresent());
      }
    } catch (Notebook.Stopped _) {
      return findings;
    }
    LabReport.of(ledger).write(ledger.index());
    return findings;
  }

  private interface Ended {
    void seeds(int count);
  }

  private static Finding run(
      Experiment experiment, Size size, List<Long> seeds, BooleanSupplier stop, Ended ended) {
    long start = System.nanoTime();
    int threads = Math.min(seeds.size(), Runtime.getRuntime().availableProcessors());
    var notebooks = new ArrayList<Notebook>();
    try (var pool = Executors.newFixedThreadPool(threads)) {
      var futures = new ArrayList<Future<Notebook>>();
      for (long seed : seeds) {
        futures.add(
            pool.submit(() -> {
              var notebook = new Notebook(seed, stop);
              notebook.alive();
              // Each seed computes on one core, because the other cores belong to the other seeds,
              // and because a finding must not depend on the number of cores.
              Cores.alone(() -> experiment.observe(size, seed, notebook));
              return notebook;
            }));
      }
      for (var future : futures) {
        notebooks.add(future.get());
        ended.seeds(notebooks.size());
      }
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case RuntimeException cause -> throw cause;
        case Error cause -> throw cause;
        case null, default ->
            throw new IllegalStateException(experiment.name() + " failed: " + e.getCause(), e);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(experiment.name() + " was interrupted", e);
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    String now = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
    return Finding.of(experiment.statement(), size, seeds, notebooks, seconds, now);
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
