package fathom.data;

import fathom.io.BadFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/// The files of a data set that turned out to be damaged when they were decoded, so that another
/// image was used in their place. Any thread may add one.
final class Replaced {
  private final Map<Path, FolderSummary.Skipped> found = new ConcurrentHashMap<>();
  private volatile Consumer<FolderSummary.Skipped> listener = skipped -> {};

  void add(Path file, BadFileException e) {
    var skipped = new FolderSummary.Skipped(file.toString(), String.valueOf(e.getMessage()));
    if (found.putIfAbsent(file, skipped) == null) {
      listener.accept(skipped);
    }
  }

  /// Replaces the listener, which is told once of every file that is added from now on.
  void tell(Consumer<FolderSummary.Skipped> listener) {
    this.listener = listener;
  }
}
