package fathom.lab;

import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Finding;
import fathom.lab.ledger.Ledger;
import fathom.lab.ledger.Size;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.Stream;

/// The committed findings, in folders `docs/lab/DATE-SIZE`. Of several of one experiment at one
/// size the newest counts.
final class Records {
  static final Path FOLDER = Path.of("..", "docs", "lab");

  private Records() {}

  static Optional<Finding> newest(Experiment experiment, Size size) throws IOException {
    return folder(experiment, size).flatMap(folder -> new Ledger(folder).read(experiment));
  }

  /// The newest folder of this size with a record of this experiment.
  static Optional<Path> folder(Experiment experiment, Size size) throws IOException {
    try (Stream<Path> folders = Files.list(FOLDER)) {
      return folders
          .filter(f -> f.getFileName().toString().endsWith("-" + size))
          .filter(f -> Files.exists(f.resolve(experiment.name() + ".json")))
          .max(Comparator.naturalOrder());
    }
  }
}
