package fathom.train;

import org.jspecify.annotations.Nullable;

/// Saves a training from another thread, when it was asked to stop and does not come to it: a step
/// of a large net can take longer than whoever stops a process waits. What is saved then is the
/// state before that step, which is whole until the step moves the weights.
public final class LastSave {
  /// A step that follows one as long as this may be too long to wait for.
  public static final long SLOW_NANOS = 1_000_000_000;

  /// How long [#save()] waits for a step that is moving the weights just now.
  private static final long PATIENCE_MILLIS = 1500;

  private static final long POLL_MILLIS = 20;

  private @Nullable Runnable offered;
  private long made;
  private long saved;

  /// What the checkpoint has.
  ///
  /// @param step after which it was written; 0 if there is none
  /// @param lost how many steps were made after it, and have to be made again
  public record Saved(long step, long lost) {}

  /// A training stands at a step of which there is a checkpoint, or at 0.
  synchronized void begin(long step) {
    made = step;
    saved = step;
  }

  /// Until the next [#withdraw] this writes the checkpoint of the steps made so far.
  synchronized void offer(Runnable write) {
    offered = write;
  }

  /// From now on the weights are changed, and nobody writes them down; waits for who does just now.
  synchronized void withdraw() {
    offered = null;
  }

  synchronized void made(long step) {
    made = step;
  }

  /// Writes the checkpoint of all steps made, while nobody else does.
  synchronized void checkpoint(Runnable write) {
    write.run();
    saved = made;
  }

  /// Saves all steps that have been made, if that is possible from outside: what was learned of a
  /// text is spread over all workers. To be followed by the end of the process.
  public Saved save() {
    for (long waited = 0; !savedNow() && waited < PATIENCE_MILLIS; waited += POLL_MILLIS) {
      try {
        Thread.sleep(POLL_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        break;
      }
    }
    return saved();
  }

  private synchronized boolean savedNow() {
    Runnable write = offered;
    if (saved < made && write != null) {
      checkpoint(write);
    }
    return saved == made;
  }

  private synchronized Saved saved() {
    return new Saved(saved, made - saved);
  }
}
