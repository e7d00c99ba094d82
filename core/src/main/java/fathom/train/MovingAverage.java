package fathom.train;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import fathom.DType;
import fathom.FlatParams;
import fathom.Node;
import fathom.Param;
import fathom.Tensor;
import fathom.parallel.Collective;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The exponential moving average of a net's parameters and buffers. It begins as the initial
/// weights; after step t, counted from 0, every average e becomes e + (1−d)(w−e), where w is the
/// weight and d = min(decay, (1+t)/(10+t)). The average of what does not change is bit by bit what
/// does not change, because w−e is 0.
///
/// The first worker of each process keeps the averages, in the type of what they are averages of,
/// so that a checkpoint has all of them. With a decay of 0 there are none, and all methods leave
/// the net alone.
final class MovingAverage {
  private static final int BLOCK = 1024;

  private final Node net;
  private final FlatParams flat;
  private final Collective all;
  private final double decay;

  /// The averages of the parameters, laid out as they are; null on other workers, or if there are
  /// none.
  private final @Nullable MemorySegment values;

  private final Map<String, double[]> buffers = new LinkedHashMap<>();
  private boolean exchanged;

  /// Begins with the present weights.
  MovingAverage(Node net, FlatParams flat, Collective all, double decay) {
    this.net = net;
    this.flat = flat;
    this.all = all;
    this.decay = decay;
    this.values = decay > 0 && all.local().rank() == 0 ? flat.zeros() : null;
    begin();
  }

  private void begin() {
    if (values != null) {
      values.copyFrom(flat.values());
      buffers.putAll(CheckpointFile.buffers(net));
    }
  }

  /// Adds the weights as they are after step `step`, counted from 0.
  void add(long step) {
    if (values == null) {
      return;
    }
    double share = 1 - Math.min(decay, (1.0 + step) / (10 + step));
    switch (flat.type()) {
      case FLOAT32 -> floats(values, share);
      case FLOAT64 -> doubles(values, share);
      case BFLOAT16, INT64 ->
          throw new IllegalStateException("parameters are FLOAT32 or FLOAT64, not " + flat.type());
    }
    for (Map.Entry<String, Param> entry : net.state().entrySet()) {
      double[] e = buffers.get(entry.getKey());
      if (e != null) {
        boolean wide = entry.getValue().value().type() == DType.FLOAT64;
        double[] w = entry.getValue().value().toDoubles();
        for (int i = 0; i < e.length; i++) {
          double moved = e[i] + share * (w[i] - e[i]);
          e[i] = wide ? moved : (float) moved;
        }
      }
    }
  }

  private void floats(MemorySegment values, double share) {
    float[] w = new float[BLOCK];
    float[] e = new float[BLOCK];
    for (long at = 0; at < flat.count(); at += BLOCK) {
      int n = (int) Math.min(BLOCK, flat.count() - at);
      long bytes = Float.BYTES * at;
      MemorySegment.copy(flat.values(), JAVA_FLOAT, bytes, w, 0, n);
      MemorySegment.copy(values, JAVA_FLOAT, bytes, e, 0, n);
      for (int i = 0; i < n; i++) {
        e[i] = (float) (e[i] + share * ((double) w[i] - e[i]));
      }
      MemorySegment.copy(e, 0, values, JAVA_FLOAT, bytes, n);
    }
  }

  private void doubles(MemorySegment values, double share) {
    for (long i = 0; i < flat.count(); i++) {
      double e = values.getAtIndex(JAVA_DOUBLE, i);
      values.setAtIndex(JAVA_DOUBLE, i, e + share * (flat.values().getAtIndex(JAVA_DOUBLE, i) - e));
    }
  }

  /// Runs `work` on every worker while the net has the averages. All workers must call it. If
  /// `work` throws, the training ends and the net keeps them.
  void during(Runnable work) {
    exchange();
    work.run();
    exchange();
  }

  /// Exchanges the net's parameters and buffers with their averages, on all workers.
  void exchange() {
    if (decay == 0) {
      return;
    }
    all.barrier(); // others may still read the weights, which all share
    swap();
    all.barrier();
    Statistics.share(net, all);
  }

  /// Runs `write` on the first worker alone, while the net has the weights that are trained.
  void unaveraged(Runnable write) {
    boolean before = exchanged;
    if (before) {
      swap();
    }
    write.run();
    if (before) {
      swap();
    }
  }

  private void swap() {
    if (values == null) {
      return;
    }
    byte[] averages = new byte[BLOCK];
    for (long at = 0; at < values.byteSize(); at += BLOCK) {
      long n = Math.min(BLOCK, values.byteSize() - at);
      MemorySegment kept = MemorySegment.ofArray(averages).asSlice(0, n);
      kept.copyFrom(values.asSlice(at, n));
      MemorySegment.copy(flat.values(), at, values, at, n);
      flat.values().asSlice(at, n).copyFrom(kept);
    }
    Map<String, double[]> before = CheckpointFile.buffers(net);
    for (Map.Entry<String, Param> entry : net.state().entrySet()) {
      double[] averaged = buffers.get(entry.getKey());
      if (averaged != null) {
        entry.getValue().value().copy_(averaged);
      }
    }
    buffers.putAll(before);
    exchanged = !exchanged;
  }

  /// Returns the average of each parameter and buffer by its path, in the innermost scope; empty if
  /// there is none.
  Map<String, Tensor> tensors() {
    if (values == null) {
      return Map.of();
    }
    var tensors = CheckpointFile.tensors(net, buffers);
    int i = 0;
    for (Map.Entry<String, Param> entry : net.state().entrySet()) {
      if (entry.getValue().trained()) {
        tensors.put(entry.getKey(), flat.part(values, i++));
      }
    }
    return tensors;
  }

  /// Reads the net's weights from a checkpoint, and on the first worker their averages.
  void read(Path file) {
    if (decay == 0) {
      Weights.read(file, net);
      return;
    }
    if (values != null) {
      Weights.read(file, net);
      begin();
    }
    CheckpointFile.readUnaveraged(file, net);
  }
}
