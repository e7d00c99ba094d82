package fathom.parallel;

import fathom.KeyStore;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// What the processes of a training tell each other through their store, beside their sums: that
/// they are alive and at which step, and who failed why.
///
/// One thread makes all calls of the store, because a call may never return when the network is
/// gone. It also tells, ten times within a timeout, that this process is alive: who is stopped or
/// cut off tells nothing any more.
final class Notices {
  private static final String FAILED = "failed";

  /// The least time after which a process is taken for silent, which is a quarter of the timeout. A
  /// loaded machine may need it.
  private static final long LEAST_SILENCE_MILLIS = 2000;

  private static final int POLL_MILLIS = 20;

  private final KeyStore store;
  private final int rank;
  private final int size;
  private final Duration timeout;
  private final long beatMillis;
  private final ScheduledExecutorService caller =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("fathom-notices").daemon().factory());
  private long beats;

  /// The signs of life of all processes, since one of them was missed.
  private Pulse @Nullable [] watched;

  /// Whether the store did not answer: nothing is asked of it any more.
  private volatile boolean unreachable;

  /// How long the store has for an answer: less once it is known that something is lost.
  private volatile long patienceMillis;

  /// Thrown when the store does not answer.
  static final class Unreachable extends RuntimeException {
    private static final long serialVersionUID = 1;

    Unreachable(@Nullable Throwable cause) {
      super("the store does not answer", cause);
    }
  }

  /// @param step the step at which this process is
  Notices(KeyStore store, int rank, int size, Duration timeout, LongSupplier step) {
    this.store = store;
    this.rank = rank;
    this.size = size;
    this.timeout = timeout;
    this.patienceMillis = timeout.toMillis();
    this.beatMillis = Math.clamp(timeout.toMillis() / 10, 100, 1000);
    var _ =
        caller.scheduleWithFixedDelay(
            () -> beat(step.getAsLong()), 0, beatMillis, TimeUnit.MILLISECONDS);
  }

  private void beat(long step) {
    try {
      store.set("alive/" + rank, "%s %s".formatted(beats++, step));
    } catch (RuntimeException _) {
      beats++; // whoever asks the store for something will say that it is gone
    }
  }

  private <T> T ask(Supplier<T> question) {
    if (unreachable) {
      throw new Unreachable(null);
    }
    try {
      return caller.submit(question::get).get(patienceMillis, TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      unreachable = true;
      throw new Unreachable(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Unreachable(e);
    }
  }

  void set(String key, String text) {
    ask(() -> {
      store.set(key, text);
      return true;
    });
  }

  long count(String key) {
    return ask(() -> store.add(key, 1));
  }

  /// The text of a key, or null if there is none.
  @Nullable String find(String key) {
    return ask(() -> store.has(key) ? Optional.of(store.get(key)) : Optional.<String>empty())
        .orElse(null);
  }

  /// Waits for what process `from` says. It waits as long as that process is alive. What it has
  /// said before it failed is heard, because failures are looked for first: between the two looks
  /// nobody can say something and then fail.
  String await(String key, int from) {
    var pulse = new Pulse(from);
    while (true) {
      String failed = find(FAILED);
      String text = find(key);
      if (text != null) {
        return text;
      }
      if (failed != null) {
        throw new LostProcessException(failed, null);
      }
      if (pulse.silentMillis() > pulse.limitMillis()) {
        throw new LostProcessException(tell(pulse.lost()), null);
      }
      Rendezvous.sleep(POLL_MILLIS + size / 4);
    }
  }

  /// Tells the others why the training cannot go on, unless one of them was the first to tell.
  /// Returns what was told first.
  String tell(String why) {
    if (count("tellers") == 1) {
      set(FAILED, why);
      return why;
    }
    for (long waited = 0; waited < silence(); waited += POLL_MILLIS) {
      String first = find(FAILED);
      if (first != null) {
        return first;
      }
      Rendezvous.sleep(POLL_MILLIS);
    }
    return why;
  }

  /// Finds out which process is lost, after an operation with all of them has failed: one that has
  /// told why it failed, or those that are not alive any more. Returns null if all are.
  @Nullable String whoIsLost() {
    patienceMillis = silence();
    Pulse[] pulses = watch();
    long start = System.nanoTime();
    while (System.nanoTime() - start < timeout.toNanos() + 1_000_000 * silence()) {
      String failed = find(FAILED);
      if (failed != null) {
        return failed;
      }
      var lost = new StringBuilder();
      for (Pulse pulse : pulses) {
        if (pulse.rank != rank && pulse.silentMillis() > silence()) {
          lost.append(lost.isEmpty() ? "" : "; ").append(pulse.lost());
        }
      }
      if (!lost.isEmpty()) {
        return tell(lost.toString());
      }
      Rendezvous.sleep(beatMillis / 2);
    }
    return null;
  }

  /// Tells that this process leaves. The host of the store stays until the others, as far as they
  /// are alive, have left too, because with it goes what was told.
  void leave(boolean hosts) {
    patienceMillis = silence();
    try {
      set("left/" + rank, "");
      for (Pulse pulse : hosts ? watch() : new Pulse[0]) {
        while (pulse.rank != rank
            && find("left/" + pulse.rank) == null
            && pulse.silentMillis() <= silence()) {
          Rendezvous.sleep(POLL_MILLIS);
        }
      }
    } catch (Unreachable _) {
      return; // nobody is left to be told
    } finally {
      caller.shutdownNow();
    }
  }

  /// The signs of life of all processes from now on, or since a process was missed: who was found
  /// silent then is not waited for again.
  private Pulse[] watch() {
    Pulse[] pulses = watched;
    if (pulses == null) {
      pulses = new Pulse[size];
      for (int i = 0; i < size; i++) {
        pulses[i] = new Pulse(i);
      }
      watched = pulses;
    }
    return pulses;
  }

  private long silence() {
    return Math.max(LEAST_SILENCE_MILLIS, timeout.toMillis() / 4);
  }

  /// How long an operation waits for the others: less than the timeout by what it takes to find out
  /// who is lost, a quarter of it, and to say so and end, so that a process ends within the
  /// timeout.
  Duration operation() {
    return timeout.multipliedBy(2).dividedBy(3);
  }

  /// The signs of life of a process, as they are seen here.
  private final class Pulse {
    final int rank;
    private @Nullable String seen;
    private long since = System.nanoTime();

    Pulse(int rank) {
      this.rank = rank;
    }

    /// The time since the last sign of life that was seen, or since the first look.
    long silentMillis() {
      String now = find("alive/" + rank);
      if (now != null && !now.equals(seen)) {
        seen = now;
        since = System.nanoTime();
      }
      return (System.nanoTime() - since) / 1_000_000;
    }

    /// A process that was never heard of may still be starting.
    long limitMillis() {
      return (seen == null ? Rendezvous.start(timeout) : timeout).toMillis();
    }

    String lost() {
      String last = seen;
      return last == null
          ? "rank %s has not started within %s s"
              .formatted(rank, Rendezvous.start(timeout).toMillis() / 1e3)
          : String.format(
              Locale.ROOT,
              "rank %s is lost: it was last heard of at step %s, and was killed, stopped or cut off",
              rank,
              last.substring(last.indexOf(' ') + 1));
    }
  }
}
