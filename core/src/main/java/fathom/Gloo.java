package fathom;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.chrono.Milliseconds;
import org.bytedeco.pytorch.BroadcastOptions;
import org.bytedeco.pytorch.GlooDeviceVector;
import org.bytedeco.pytorch.ProcessGroupGloo;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.Work;
import org.bytedeco.pytorch.global.torch_gloo;

/// Sums over processes, by libtorch's Gloo over TCP. All processes must make the same calls in the
/// same order, with tensors of the same shape and type: a difference ends the process of one of
/// them, and no exception tells of it, so it has to be checked before.
///
/// Sums are taken in an order that depends only on the number of processes and elements, and every
/// process gets the same bits. All operations throw [Broken] if another process has closed its
/// connection, or does not answer within the timeout; then no operation works any more.
public final class Gloo implements AutoCloseable {
  private final ProcessGroupGloo group;
  private final AtomicBoolean busy = new AtomicBoolean();

  private Gloo(ProcessGroupGloo group) {
    this.group = group;
  }

  static void load() {
    var _ = Torch.version(); // libtorch first, with its settings
    Loader.load(torch_gloo.class);
  }

  /// Connects every process with every other.
  ///
  /// @param store where the processes find each other; of no other group
  /// @param address the address of this host, or the name of one of its interfaces, that the others
  ///   can reach
  /// @param byInterface whether `address` is the name of an interface
  /// @param timeout how long an operation waits for another process
  public static Gloo connect(
      KeyStore store, int rank, int size, String address, boolean byInterface, Duration timeout) {
    load();
    try (var milliseconds = new Milliseconds(timeout.toMillis())) {
      Supplier<ProcessGroupGloo> made =
          () -> {
            var options = ProcessGroupGloo.Options.create(milliseconds);
            var device =
                byInterface
                    ? ProcessGroupGloo.createDeviceForInterface(address)
                    : ProcessGroupGloo.createDeviceForHostname(address);
            options.devices(new GlooDeviceVector(device)).threads(1);
            return new ProcessGroupGloo(store.raw(), rank, size, options);
          };
      return new Gloo(Silence.during(made));
    }
  }

  /// Replaces the elements of a dense tensor by their sums over all processes.
  public void allReduce(Tensor tensor) {
    try (var tensors = new TensorVector(tensor.raw())) {
      await(() -> group.allreduce(tensors));
    }
  }

  /// Replaces the elements of a dense tensor by those of process `root`.
  public void broadcast(Tensor tensor, int root) {
    try (var tensors = new TensorVector(tensor.raw());
        var options = new BroadcastOptions().rootRank(root)) {
      await(() -> group.broadcast(tensors, options));
    }
  }

  /// Returns when every process has called it.
  public void barrier() {
    await(() -> group.barrier());
  }

  private void await(Supplier<Work> operation) {
    busy.set(true);
    try (Work work = operation.get()) {
      work._wait();
    } catch (RuntimeException e) {
      throw new Broken(e);
    } finally {
      busy.set(false);
    }
  }

  /// Thrown when an operation has failed because of another process.
  public static final class Broken extends RuntimeException {
    private static final long serialVersionUID = 1;

    Broken(RuntimeException cause) {
      super(String.valueOf(cause.getMessage()).lines().findFirst().orElse(""), cause);
    }
  }

  /// Closes the connections, at which the operations of the others end with an exception.
  @Override
  public void close() {
    if (!busy.get()) { // a thread that still waits in an operation would lose its memory
      group.close();
    }
  }
}
