package fathom.train;

import org.jspecify.annotations.Nullable;

/// Saves a training from another thread when the training was asked to stop but does not get to
/// save in time, because a step of a large net can take longer than the patience of whoever ends
/// the process. It saves the state before that step, which is intact until the step changes the
/// weights.
public final class LastSave {
  /// If a step took this long, the next one may be too long to wait for.
  public static final long SLOW_NANOS = 1_000_000_000;

  /// The time that [#save()] waits for a step that is just changing the weights.
  private static final long PATIENCE_MILLIS = 1500;

  private static final long POLL_MILLIS = 20;

  private @Nullable Runnable offered;
  private long made;
  private long saved;

  /// The content of the checkpoint.
  ///
  /// @param step the number of steps after which it was written; 0 if there is none
  /// @param lost the number of steps that were made after it and have to be repeated
  public record Saved(long step, long lost) {}

  /// Called when a training starts at step 0 or at a step of which there is a checkpoint.
  synchronized void begin(long step) {
    made = step;
    saved = step;
  }

  /// Registers `write`, which writes the checkpoint of the steps made so far and may be run until
  /// the next [#withdraw].
  synchronized void offer(Runnable write) {
    offered = write;
  }

  /// Called before the weights change. Waits if another thread is just saving; until the next
  /// [#offer], no other thread can save.
  synchronized void withdraw() {
    offered = null;
  }

  synchronized void made(long step) {
    made = step;
  }

  /// Writes the checkpoint of all steps made, while no other thread does.
  synchronized void checkpoint(Runnable write) {
    write.run();
    saved = made;
  }

  /// Saves all steps that have been made, if that is possible from this thread. It is not possible
  /// for texts, because their state is spread over all workers. The caller should end the process
  /// afterwards. Returns what the checkpoint then holds.
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
