package fathom.run;

import fathom.data.Data;
import fathom.data.DataIdentity;
import fathom.data.ImageReadOptions;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;

/// The data of a run in `run.json`: the place where it was, and the identity by which other data
/// can be compared with it. The name that the user gave is in the [Recipe].
///
/// @param place the absolute path of the folder or file; empty for data that comes with Fathom, and
///   if it is not known
/// @param fromRun the path relative to the folder of the run, because both may be moved together;
///   empty if there is no such path
/// @param split how a folder without a test part is divided
/// @param identity the identity of the data; unknown in a run of a format before 7
/// @param changes the changes of the data during the training, the earliest first
public record RunData(
    String place,
    String fromRun,
    ImageReadOptions.Split split,
    DataIdentity identity,
    List<Change> changes) {
  /// A change of the data between two steps.
  ///
  /// @param step the number of steps that were made before the change
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

  /// The names under which the data that a user called `spec` may be found now, the likeliest
  /// first: the same name, which is relative to the current folder; the place where it was; and its
  /// path relative to the run.
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
