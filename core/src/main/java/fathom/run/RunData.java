package fathom.run;

import fathom.data.Data;
import fathom.data.DataIdentity;
import fathom.data.ImageReadOptions;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;

/// The data of a run, as `run.json` has it: where it was, and what tells whether other data is the
/// same. What the user called it is in the [Recipe].
///
/// @param place the folder or file, absolute; empty for data that comes with Fathom, and where it
///   is not known
/// @param fromRun the same, relative to the folder of the run, for both may be moved together;
///   empty where there is no such path
/// @param split how a folder without a part for testing is divided
/// @param identity unknown in a run of a format before 7
/// @param changes when the training went on with other data, the earliest first
public record RunData(
    String place,
    String fromRun,
    ImageReadOptions.Split split,
    DataIdentity identity,
    List<Change> changes) {
  /// From one step on the data is another.
  ///
  /// @param step after which
  /// @param differences clauses as of [DataIdentity#differences]
  public record Change(long step, List<String> differences) {
    public Change {
      differences = List.copyOf(differences);
      if (step < 0) {
        throw new IllegalArgumentException(
            "data changes after 0 or more steps, but this is " + step);
      }
    }
  }

  /// Throws `IllegalArgumentException` for a place that is no path.
  public RunData {
    changes = List.copyOf(changes);
    Path _ = Path.of(place).resolve(fromRun);
  }

  static RunData of(Path folder, Data data, ImageReadOptions.Split split, List<Change> changes) {
    Path place = data.place();
    return new RunData(
        place == null ? "" : place.toString(),
        place == null ? "" : relative(folder, place),
        split,
        data.identity(),
        changes);
  }

  private static String relative(Path folder, Path place) {
    Path from = folder.toAbsolutePath().normalize();
    return from.getRoot() != null && from.getRoot().equals(place.getRoot())
        ? from.relativize(place).toString()
        : "";
  }

  /// How the data that a user called `spec` may be named now, the likeliest first: as it was, which
  /// is relative to the current folder, at the place where it was, and as it lies from the run.
  List<String> names(Path folder, String spec) {
    var names = new LinkedHashSet<Path>();
    if (!place.isEmpty()) {
      names.add(Path.of(place));
    }
    if (!fromRun.isEmpty()) {
      names.add(folder.toAbsolutePath().resolve(fromRun).normalize());
    }
    String kind = Data.prefix(spec);
    var all = new LinkedHashSet<String>();
    String rest = spec.substring(kind.length());
    all.add(spec);
    for (Path name : names) {
      if (!name.equals(Path.of(rest).toAbsolutePath().normalize())) {
        all.add(kind + name);
      }
    }
    return List.copyOf(all);
  }
}
