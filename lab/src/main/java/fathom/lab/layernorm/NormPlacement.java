package fathom.lab.layernorm;

import fathom.DType;
import fathom.Layer;
import fathom.Layer.Child;
import fathom.Param;
import fathom.Scope;
import fathom.Tensor;
import fathom.data.Text;
import fathom.lab.layernorm.Course.Plan;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.loss.CrossEntropy;
import fathom.net.LanguageModel;
import fathom.nn.Chain;
import fathom.nn.Dense;
import fathom.nn.Embedding;
import fathom.nn.EncoderBlock;
import fathom.nn.Identity;
import fathom.nn.Init;
import fathom.nn.LayerNorm;
import fathom.optim.Adam;
import fathom.optim.Schedule;
import fathom.recurrent.Encoder;
import fathom.task.CharacterModel;
import fathom.train.Metrics;
import java.util.ArrayList;
import java.util.Optional;

/// Measures why a transformer needs a warm-up: blocks with their layer norms behind the additions,
/// as they were first published, and on the branches. Source of the claim: Xiong et al. 2020,
/// theorem 1 and section 4.
///
/// At the start the gradient of the last block should not depend on the depth L with the norms
/// behind, and fall as 1/√L with the norms on the branches; the bounds allow a factor of 1.5. In
/// training, the runs have no warm-up, or one at a tenth of the learning rate. The bounds on the
/// gain from a warm-up were set after a pilot with other seeds.
///
/// The nets are small and trained for few steps at one learning rate, so the experiment does not
/// show that a net with norms behind cannot be trained without a warm-up.
final class NormPlacement implements Experiment {
  private static final int WIDTH = 64;
  private static final int WINDOW = 32;
  private static final int STREAMS = 16;

  @Override
  public Statement statement() {
    return new Statement(
        "norm-and-warm-up",
        "Why does a transformer need a warm-up, and when does it not?",
        "With layer norm behind the additions the last block's gradient is as large in a deep net"
            + " as in a shallow one, with layer norm on the branches it falls as 1/√L; only the"
            + " first needs a warm-up.",
        "Xiong et al. 2020, theorem 1 and section 4",
        "80 s");
  }

  @Override
  public Optional<String> missing() {
    return TextSample.missing();
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    int steps = size.of(2, 25, 100);
    int epochs = size.of(1, 4, 10);
    Text text = TextSample.of(steps * STREAMS * WINDOW, size.of(2_000, 10_000, 50_000));
    int shallow = 2;
    int deep = size.of(3, 12, 12);
    for (Place place : Place.values()) {
      double ratio =
          gradient(place, deep, text, seed, note) / gradient(place, shallow, text, seed, note);
      note.measure(
          "%s, last block's gradient, %s blocks over %s".formatted(place, deep, shallow),
          ratio,
          place == Place.BEHIND
              ? Bound.atLeast(2.0 / 3)
              : Bound.atMost(1.5 * Math.sqrt((double) shallow / deep)));
    }
    int layers = size.of(2, 6, 6);
    double behind = gain(Place.BEHIND, layers, text, steps, epochs, seed, note);
    double before = gain(Place.BRANCH, layers, text, steps, epochs, seed, note);
    note.measure("norm behind, what a warm-up gains, bits", behind, Bound.atLeast(0.1));
    note.measure("norm on the branch, what a warm-up gains, bits", before, Bound.atMost(0.1));
  }

  private enum Place {
    BEHIND("norm behind"),
    BRANCH("norm on the branch");

    private final String words;

    Place(String words) {
      this.words = words;
    }

    @Override
    public String toString() {
      return words;
    }
  }

  private static LanguageModel net(Place place, int layers, int characters, Init init) {
    var blocks = new ArrayList<Child>();
    for (int i = 0; i < layers; i++) {
      String path = "body.blocks." + i;
      blocks.add(
          new Child(
              Integer.toString(i),
              place == Place.BEHIND
                  ? EncoderBlock.postNorm(init, path, WIDTH, 1, true)
                  : EncoderBlock.preNorm(init, path, WIDTH, 1, true)));
    }
    Layer last = place == Place.BEHIND ? new Identity() : LayerNorm.ofLast(WIDTH);
    var positions = Param.of(init.weights("body.positions", 2L * WIDTH, WINDOW, WIDTH));
    return new LanguageModel(
        Embedding.of(init, "embedding", characters, WIDTH),
        new Encoder(positions, new Chain(blocks), last),
        Dense.of(init, "head", WIDTH, characters),
        WINDOW);
  }

  /// Returns the norm of the gradient of the last weight of the last block at the start, for one
  /// batch.
  private static double gradient(Place place, int layers, Text text, long seed, Notebook note) {
    try (var _ = Scope.open()) {
      LanguageModel net = net(place, layers, text.vocabulary().size(), Init.he(seed));
      int[][] tokens = new int[WINDOW][STREAMS];
      int[] next = new int[WINDOW * STREAMS];
      for (int t = 0; t < WINDOW; t++) {
        for (int n = 0; n < STREAMS; n++) {
          tokens[t][n] = text.train()[n * (WINDOW + 1) + t];
          next[t * STREAMS + n] = text.train()[n * (WINDOW + 1) + t + 1];
        }
      }
      var read = net.forward(tokens, net.start(STREAMS));
      var loss = CrossEntropy.of(read.logits(), next);
      read.back(loss.back(Tensor.scalar(DType.FLOAT32, 1)));
      double norm =
          net.state().entrySet().stream()
              .filter(e -> e.getKey().contains("%s.mlp.linear2.weight".formatted(layers - 1)))
              .mapToDouble(e -> length(e.getValue().grad().toDoubles()))
              .findFirst()
              .orElseThrow();
      note.measure("%s, %s blocks, last block's gradient".formatted(place, layers), norm);
      return norm;
    }
  }

  private static double length(double[] values) {
    double sum = 0;
    for (double v : values) {
      sum += v * v;
    }
    return Math.sqrt(sum);
  }

  /// Returns the training loss at the end without a warm-up minus that with one, in bits.
  private static double gain(
      Place place, int layers, Text text, int steps, int epochs, long seed, Notebook note) {
    long warm = Math.max(1, (long) steps * epochs / 4);
    double without = loss(place, layers, text, epochs, 0, seed, note);
    double with = loss(place, layers, text, epochs, warm, seed, note);
    return without - with;
  }

  private static double loss(
      Place place, int layers, Text text, int epochs, long warm, long seed, Notebook note) {
    int characters = text.vocabulary().size();
    var plan = new Plan(Adam.of(), Schedule.constant(0.003).withWarmUp(warm), epochs, STREAMS);
    Course course =
        Course.of(
            init -> net(place, layers, characters, init),
            CharacterModel.of(text, WINDOW),
            plan,
            seed,
            note);
    String arm = place + (warm > 0 ? ", warm-up" : ", no warm-up");
    double bits = course.last(NormPlacement::bits);
    note.measure(arm + ", training loss, bits", bits);
    course.draw("Training loss", "bits per character", arm, NormPlacement::bits, note);
    return bits;
  }

  private static double bits(Metrics.Epoch epoch) {
    return epoch.trainLoss() / Math.log(2);
  }
}
