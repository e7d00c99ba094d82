package fathom.train;

import java.nio.file.Path;

/// Thrown when another training is working in the folder of a run. Nothing was changed.
public final class BusyRunException extends RuntimeException {
  private static final long serialVersionUID = 1;

  BusyRunException(Path folder) {
    super(
        "%s: another training works in this folder; wait until it has ended or stop it, or give another folder (`out`)"
            .formatted(folder));
  }
}
