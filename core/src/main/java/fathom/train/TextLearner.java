package fathom.train;

import fathom.Collective;
import fathom.Node;
import fathom.Scope;
import fathom.State;
import fathom.Tensor;
import fathom.Traced;
import fathom.data.Rows;
import fathom.data.Streams;
import fathom.data.Text;
import fathom.io.SafeTensors;
import fathom.loss.CrossEntropy;
import fathom.net.LanguageModel;
import fathom.nn.Init;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// Learns the characters of a text: the streams of the text side by side, a window of all of them
/// in a step. The state after a window is the start of the next one, and is zero where an epoch
/// begins; gradients do not cross windows (truncated backpropagation through time). A net without a
/// state sees every window alone.
final class TextLearner implements Learner {
  private static final String CARRIED = "carried.";

  private final Collective all;
  private final Text text;
  private final double smoothing;
  private final Streams streams;
  private final Rows own;
  private final LanguageModel net;

  /// Of this worker's streams; in the scope of the worker.
  private final State carried;

  /// What was carried into the last batch, so that it can be run again.
  private final State before;

  TextLearner(Run run, Text text, Collective all, Init init) {
    Recipe recipe = run.recipe();
    this.all = all;
    this.text = text;
    this.smoothing = recipe.descent().smoothing();
    this.streams = new Streams(text.train(), recipe.batch(), recipe.window());
    this.own = new Rows(0, streams.count()).share(all.rank(), all.size());
    this.net = run.textNet(init);
    this.carried = net.start(own.count());
    this.before = net.start(own.count());
  }

  @Override
  public Node net() {
    return net;
  }

  @Override
  public int batches() {
    return streams.windows();
  }

  @Override
  public Rows batch(int batch) {
    Rows places = streams.window(batch);
    return new Rows(
        Math.multiplyExact(places.from(), streams.count()),
        Math.multiplyExact(places.to(), streams.count()));
  }

  @Override
  public void begin(int epoch, int batch) {
    if (batch == 0) {
      carried.tensors().forEach(Tensor::zero_);
    }
  }

  @Override
  public double[] gradients(int batch) {
    Evaluation.carry(carried, before);
    return gradients(net, batch);
  }

  private double[] gradients(LanguageModel net, int batch) {
    if (own.count() == 0) {
      return new double[2]; // fewer streams than workers
    }
    Rows places = streams.window(batch);
    int[] next = streams.next(places, own);
    try (var _ = Scope.open()) {
      var traced = net.forward(streams.read(places, own), carried);
      Traced loss = CrossEntropy.of(traced.logits(), next, smoothing);
      traced.back(loss.back(Tensor.scalar(traced.logits().type(), 1)));
      Evaluation.carry(traced.end(), carried);
      return new double[] {loss.value().item(), Evaluation.errors(traced.logits(), next)};
    }
  }

  /// Runs the batch again with an eye on every layer.
  @Override
  public @Nullable String notFinite(int batch) {
    var search = new FirstNonFinite();
    Evaluation.carry(before, carried);
    gradients(net.watched(search), batch);
    return search.found();
  }

  @Override
  public Evaluation test(BooleanSupplier stop) {
    return Evaluation.of(net, text.validation(), all, stop);
  }

  @Override
  public Evaluation trained(BooleanSupplier stop) {
    int length = Math.min(text.validation().length, text.train().length);
    return Evaluation.of(net, Arrays.copyOf(text.train(), length), all, stop);
  }

  @Override
  public Metrics.@Nullable Layers layers(long step) {
    return null;
  }

  /// The states of all streams, S×H each, gathered from the workers.
  @Override
  public SequencedMap<String, Tensor> stored() {
    var stored = new LinkedHashMap<String, Tensor>();
    for (Tensor part : carried.tensors()) {
      Tensor whole = whole(part);
      if (own.count() > 0) {
        whole.narrow(0, own.from(), own.to()).copy_(part);
      }
      all.allReduce(whole);
      stored.put(CARRIED + stored.size(), whole);
    }
    return stored;
  }

  /// Every worker has the states of its own streams.
  @Override
  public boolean storesAlone() {
    return false;
  }

  private Tensor whole(Tensor part) {
    return Tensor.zeros(part.type(), streams.count(), part.shape().size(1));
  }

  @Override
  public void resume(Path checkpoint) {
    try (var stored = SafeTensors.open(checkpoint);
        var _ = Scope.open()) {
      int i = 0;
      for (Tensor part : carried.tensors()) {
        Tensor whole = whole(part);
        Weights.checkShape(checkpoint, stored, CARRIED + i, whole);
        Weights.copy(stored, CARRIED + i, whole);
        part.copy_(whole.narrow(0, own.from(), own.to()));
        i++;
      }
    }
  }
}
