package fathom.bench;

import fathom.DType;
import fathom.FlatParams;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.data.Rows;
import fathom.loss.CrossEntropy;
import fathom.net.CharacterNet;
import fathom.net.LanguageModel;
import fathom.nn.Init;
import fathom.optim.Adam;
import fathom.optim.Clip;
import fathom.parallel.Collective;
import fathom.parallel.Step;
import fathom.recurrent.State;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;

/// Measures whole training steps of character models (forward pass, backward pass, sum over
/// workers, clipping, Adam) on one window of 32 streams of 100 characters, against the same in
/// PyTorch. The state of a recurrent net goes from one step to the next, as in a training.
public final class TextSuite {
  private static final String SUITE = "text";
  private static final int STREAMS = 32;
  private static final int WINDOW = 100;
  private static final int VOCABULARY = 65;
  private static final int WARM_UP = 10;
  private static final int STEPS = 2;
  private static final double LEARNING_RATE = 0.002;
  private static final double CLIP = 1;

  private TextSuite() {}

  /// Measures the nets `lstm`, `ln-lstm` and `transformer` in their usual sizes, `rounds` times in
  /// turn with each peer.
  public static List<Result> run(int rounds, int workers, Peers peers) {
    var results = new ArrayList<Result>();
    for (String model : List.of("lstm", "ln-lstm", "transformer")) {
      results.addAll(
          run(CharacterNet.named(model).withVocabulary(VOCABULARY), rounds, workers, peers));
    }
    return results;
  }

  private static List<Result> run(CharacterNet net, int rounds, int workers, Peers peers) {
    var shared = new AtomicReference<@Nullable FlatParams>();
    try (var ours = Standing.start(workers, WARM_UP, all -> worker(net, all, shared));
        var lineup = new Peers.Lineup()) {
      for (String form : forms(net.name())) {
        peers.python(
            lineup,
            Peers.PYTORCH,
            form,
            "text.py",
            net.name(),
            form,
            "%s,%s,%s,%s,%s".formatted(WINDOW, STREAMS, VOCABULARY, net.hidden(), net.layers()),
            Integer.toString(workers));
      }
      var contenders = new ArrayList<DoubleSupplier>();
      contenders.add(() -> Alternation.mean(STEPS, ours::run));
      contenders.addAll(lineup.contenders(STEPS));
      double[][] runs = Alternation.of(rounds, contenders);
      String name =
          "%s, %s layers of %s, %s streams, %s workers"
              .formatted(net.name(), net.layers(), net.hidden(), STREAMS, workers);
      return lineup.results(
          runs,
          1,
          (peer, theirs) ->
              Result.ofRate(SUITE, name, "characters/s", STREAMS * WINDOW, runs[0], peer, theirs));
    }
  }

  /// PyTorch's routes to a net: a recurrent net without norms has a built-in layer; one with norms
  /// is a loop over its cell in Python, which may be scripted.
  private static List<String> forms(String model) {
    return model.equals("ln-lstm")
        ? List.of("eager", "jit", "compile")
        : List.of("eager", "compile");
  }

  private static Runnable worker(
      CharacterNet architecture, Collective all, AtomicReference<@Nullable FlatParams> shared) {
    LanguageModel net = architecture.build(all.rank() == 0 ? Init.he(1) : Init.zeros());
    FlatParams flat = TimedSteps.share(all, shared, net.params());
    var adam = new Adam(flat);
    Rows own = new Rows(0, STREAMS).share(all.rank(), all.size());
    RandomKey key = RandomKey.of(1, "text");
    int[][] read = new int[WINDOW][own.count()];
    int[] next = new int[WINDOW * own.count()];
    for (int t = 0; t < WINDOW; t++) {
      for (int n = 0; n < own.count(); n++) {
        long place = (long) (own.from() + n) * (WINDOW + 1) + t;
        read[t][n] = key.below(place, VOCABULARY);
        next[t * own.count() + n] = key.below(place + 1, VOCABULARY);
      }
    }
    State carried = net.start(own.count());
    var steps = new TimedSteps("a text", WARM_UP);
    return () ->
        steps.add(
            new Step(1, steps.count(), all, STREAMS * WINDOW)
                .run(() -> step(all, net, read, next, carried, flat, adam)));
  }

  private static double step(
      Collective all,
      LanguageModel net,
      int[][] read,
      int[] next,
      State carried,
      FlatParams flat,
      Adam adam) {
    try (var _ = Scope.open()) {
      LanguageModel.TracedText traced = net.forward(read, carried);
      Traced loss = CrossEntropy.of(traced.logits(), next);
      traced.back(loss.back(Tensor.scalar(DType.FLOAT32, 1)));
      List<Tensor> end = traced.end().tensors();
      for (int i = 0; i < end.size(); i++) {
        carried.tensors().get(i).copy_(end.get(i));
      }
      double[] sum = {loss.value().item()};
      all.allReduce(sum);
      all.allReduce(flat.gradient());
      if (all.rank() == 0) {
        Clip.to(flat, CLIP);
        adam.step(LEARNING_RATE);
      } else {
        flat.gradients().fill((byte) 0);
      }
      all.barrier();
      return sum[0];
    }
  }
}
