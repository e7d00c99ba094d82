package fathom.parallel;

import fathom.DType;
import fathom.Gloo;
import fathom.KeyStore;
import fathom.Scope;
import fathom.Tensor;
import fathom.io.AtomicFile;
import fathom.io.BadFileException;
import fathom.io.Json;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The processes of one training, which a launcher started, perhaps on several hosts. As a
/// [Collective], one thread of each process calls it at a time; [#run] extends it to all threads.
///
/// If another process is killed, stopped or cut off, the operations throw [LostProcessException]
/// within the timeout, which names its rank. Sums are taken in an order that depends only on the
/// number of processes, so a training repeats bit by bit with the same number.
///
/// What the processes say is plain text on the network, and the store in which they meet listens on
/// all interfaces of its host: they belong into a private network.
public final class Processes implements Collective, AutoCloseable {
  /// How long an operation waits for another process if nothing else is said.
  public static final Duration USUAL_TIMEOUT = Duration.ofSeconds(30);

  private static final Duration LEAST_TIMEOUT = Duration.ofSeconds(1);

  /// Threads that wait for the one that waits for other processes lose patience after 10 minutes.
  private static final Duration LONGEST_TIMEOUT = Duration.ofMinutes(5);

  /// No process but this one.
  public static final Processes NONE = new Processes(Launch.NONE);

  private final Launch launch;
  private final @Nullable Notices notices;
  private final @Nullable Gloo gloo;
  private volatile long step;
  private int agreements;
  private long nanos;

  private Processes(Launch launch) {
    this.launch = launch;
    this.notices = null;
    this.gloo = null;
  }

  private Processes(Launch launch, Duration timeout, KeyStore store) {
    this.launch = launch;
    var told = new Notices(store, launch.rank(), launch.size(), timeout, () -> step);
    this.notices = told;
    try {
      meet(told);
      String byInterface = launch.address();
      this.gloo =
          Gloo.connect(
              store.within("gloo"),
              launch.rank(),
              launch.size(),
              byInterface == null ? Rendezvous.address(launch) : byInterface,
              byInterface != null,
              told.operation());
    } catch (Notices.Unreachable e) {
      throw told(hostLost(e));
    } catch (RuntimeException e) {
      LostProcessException lost = e instanceof LostProcessException known ? known : lost(e);
      told.leave(launch.hosts());
      throw told(lost);
    }
  }

  /// Meets the other processes of this launch; with a single process, does nothing. Throws
  /// [LostProcessException], which names it, if one of them does not start within three times the
  /// timeout; [fathom.DeviceException] if the network does not allow it; and
  /// `IllegalArgumentException` unless the timeout is 1 to 300 seconds.
  ///
  /// @param timeout how long to wait for another process in each operation
  public static Processes join(Launch launch, Duration timeout) {
    if (timeout.compareTo(LEAST_TIMEOUT) < 0 || timeout.compareTo(LONGEST_TIMEOUT) > 0) {
      throw new IllegalArgumentException(
          "other processes are waited for 1 to 300 seconds, but `peerTimeout` is %s"
              .formatted(timeout.toMillis() / 1e3));
    }
    if (launch.size() == 1) {
      return new Processes(launch);
    }
    KeyStore store = Rendezvous.store(launch, timeout);
    return new Processes(launch, timeout, store.within("fathom/" + launch.attempt()));
  }

  /// Rank 0 counts who has come and tells the others.
  private void meet(Notices told) {
    long same = told.count("ranks/" + launch.rank());
    if (same > 1) {
      throw new LostProcessException(
          told.tell(
              "%s processes say that they are rank %s; each needs a rank of its own"
                  .formatted(same, launch.rank())),
          null);
    }
    told.set("joined/" + launch.rank(), "");
    for (int i = 0; launch.rank() == 0 && i < launch.size(); i++) {
      told.await("joined/" + i, i);
    }
    if (launch.rank() == 0) {
      told.set("all", "");
    } else {
      told.await("all", 0);
    }
  }

  /// Returns what the launcher said.
  public Launch launch() {
    return launch;
  }

  @Override
  public int rank() {
    return launch.rank();
  }

  @Override
  public int size() {
    return launch.size();
  }

  /// Returns a single worker: no process shares its memory.
  @Override
  public Collective local() {
    return ALONE;
  }

  @Override
  public void allReduce(double[] values) {
    if (gloo != null && values.length > 0) {
      try (var _ = Scope.open()) {
        Tensor sums = Tensor.of(values, values.length);
        make(() -> gloo.allReduce(sums));
        System.arraycopy(sums.toDoubles(), 0, values, 0, values.length);
      }
    }
  }

  @Override
  public void allReduce(Tensor tensor) {
    if (gloo != null) {
      if (tensor.type() != DType.FLOAT32 && tensor.type() != DType.FLOAT64) {
        throw new IllegalArgumentException("FLOAT32 and FLOAT64 are summed, but not " + tensor);
      }
      make(() -> gloo.allReduce(tensor));
    }
  }

  @Override
  public void broadcast(Tensor tensor, int root) {
    if (gloo != null) {
      make(() -> gloo.broadcast(tensor, root));
    }
  }

  @Override
  public void barrier() {
    if (gloo != null) {
      make(gloo::barrier);
    }
  }

  private void make(Runnable operation) {
    long start = System.nanoTime();
    try {
      operation.run();
    } catch (Gloo.Broken e) {
      throw lost(e);
    } finally {
      nanos += System.nanoTime() - start;
    }
  }

  /// Returns the time that operations with the other processes have taken, waiting included.
  public Duration exchanging() {
    return Duration.ofNanos(nanos);
  }

  /// Says at which step this process is, for the messages of the others.
  public void at(long step) {
    this.step = step;
  }

  /// Runs `program` on this many threads, whose [Collective] has the threads of all processes.
  public void run(int threads, Consumer<Collective> program) {
    Workers.run(threads, this, program);
  }

  /// Compares facts that have to be the same in all processes, by their names. Returns the first
  /// that differs, the same in every process, or null if there is none.
  public @Nullable Difference compare(SequencedMap<String, String> facts) {
    if (notices == null) {
      return null;
    }
    try {
      return compare(notices, "facts/%s/".formatted(agreements++), facts);
    } catch (Notices.Unreachable e) {
      throw hostLost(e);
    }
  }

  /// Rank 0 compares all others with itself, and tells them what it has found.
  private @Nullable Difference compare(Notices told, String key, Map<String, String> facts) {
    if (rank() != 0) {
      told.set(key + rank(), Json.text(facts));
      String found = told.await(key + "found", 0);
      return found.equals("{}") ? null : Json.read(Json.parse(found), Difference.class);
    }
    Difference found = null;
    for (int i = 1; i < size(); i++) {
      var other = Json.parse(told.await(key + i, i));
      for (Map.Entry<String, String> fact : facts.entrySet()) {
        String there = other.path(fact.getKey()).asString("nothing");
        if (found == null && !there.equals(fact.getValue())) {
          found = new Difference(fact.getKey(), fact.getValue(), i, there);
        }
      }
    }
    told.set(key + "found", Json.text(found == null ? Map.of() : found));
    return found;
  }

  /// A fact that is not the same in all processes.
  ///
  /// @param fact its name
  /// @param first what it is in rank 0
  /// @param rank another rank
  /// @param other what it is there
  public record Difference(String fact, String first, int rank, String other) {
    @Override
    public String toString() {
      return "all processes of a training do the same, but %s is %s in rank 0 and %s in rank %s"
          .formatted(fact, first, other, rank);
    }
  }

  /// Tells the other processes something; only rank 0 does.
  public void publish(String key, String text) {
    if (notices != null) {
      try {
        notices.set("said/" + key, text);
      } catch (Notices.Unreachable e) {
        throw hostLost(e);
      }
    }
  }

  /// Returns what rank 0 tells, as soon as it does.
  public String published(String key) {
    try {
      return Objects.requireNonNull(notices, "a process alone is told nothing")
          .await("said/" + key, 0);
    } catch (Notices.Unreachable e) {
      throw hostLost(e);
    }
  }

  /// Runs `body`. If it fails, tells the other processes and the launcher why, so that they can
  /// name this rank, and throws on.
  public <T> T telling(Supplier<T> body) {
    try {
      return body.get();
    } catch (LostProcessException e) {
      throw told(e);
    } catch (RuntimeException | Error e) {
      String why = String.valueOf(e.getMessage()).lines().findFirst().orElse(e.toString());
      fail("rank %s failed at step %s: %s".formatted(rank(), step, why));
      throw e;
    }
  }

  private void fail(String why) {
    if (notices != null) {
      try {
        notices.tell(why);
      } catch (Notices.Unreachable _) {
        writeErrorFile(why); // nobody is there to be told
      }
    }
    if (gloo != null) {
      gloo.close();
    }
    writeErrorFile(why);
  }

  private LostProcessException told(LostProcessException e) {
    writeErrorFile(String.valueOf(e.getMessage()));
    return e;
  }

  /// Writes the file from which torchrun takes the first cause of all failures.
  private void writeErrorFile(String why) {
    Path file = launch.errorFile();
    if (file != null) {
      var message = new LinkedHashMap<String, Object>();
      message.put("message", why);
      message.put(
          "extraInfo",
          Map.of(
              "timestamp", Long.toString(System.currentTimeMillis() / 1000), "py_callstack", why));
      try {
        AtomicFile.replace(
            file, Json.text(Map.of("message", message)).getBytes(StandardCharsets.UTF_8));
      } catch (BadFileException _) {
        return; // the reason itself is on standard error in any case
      }
    }
  }

  /// Finds out which process is lost after an operation has failed. Closes the connections first,
  /// so that the others do not wait for this process.
  private LostProcessException lost(RuntimeException cause) {
    if (gloo != null) {
      gloo.close();
    }
    String first = String.valueOf(cause.getMessage()).lines().findFirst().orElse("");
    try {
      String lost = notices == null ? null : notices.whoIsLost();
      return new LostProcessException(
          lost == null
              ? "the connection to another process broke, but all are alive (%s)".formatted(first)
              : lost,
          cause);
    } catch (Notices.Unreachable e) {
      return hostLost(e);
    }
  }

  private LostProcessException hostLost(Throwable cause) {
    return new LostProcessException(
        "%s at %s:%s, where the processes meet, is lost: it was killed, stopped or cut off while rank %s was at step %s"
            .formatted(
                launch.hosted() ? "the launcher's store" : "rank 0",
                launch.host(),
                launch.port(),
                rank(),
                step),
        cause);
  }

  /// Leaves the other processes.
  @Override
  public void close() {
    if (notices != null) {
      notices.leave(launch.hosts());
    }
    if (gloo != null) {
      gloo.close();
    }
  }
}
