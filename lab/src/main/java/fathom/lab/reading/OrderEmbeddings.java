package fathom.lab.reading;

import fathom.FlatParams;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.Torch;
import fathom.io.BadFileException;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.nn.Init;
import fathom.optim.Adam;
import fathom.optim.Clip;
import fathom.recurrent.GateNorm;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/// Section 6.1 of the paper, order embeddings with a GRU and with an LN-GRU, on phrases alone: the
/// paper's captions and images (MS-COCO, features of a VGG net) cannot be shipped. Vendrov et al.
/// (2016, section 4) predict hypernyms of WordNet with a free point for each synset; here the point
/// is what a GRU makes of the synset's name and definition ([Phrases]), so that it must read, and
/// is asked of phrases that it never read ([HypernymCorpus]).
///
/// Every corrupted pair of a batch counts, as in their section 5 on captions. Adam at one learning
/// rate, the best one of the GRU without a norm in a pilot (0.005, 0.01, 0.02 and 0.04, seeds 11
/// and 12); in the pilot the LN-GRU bore twice as much, which is an arm of its own without a bound.
/// Gradients have a norm of 1 at most, the margin is Vendrov's α = 1. A validation chooses the
/// threshold of the penalty that tells true pairs from corrupted ones, and the model to be tested.
///
/// The last arm reads the same words in an order that is drawn: what it is worse by is what the GRU
/// makes of the order. The bounds are the paper's.
final class OrderEmbeddings implements Experiment {
  private static final double MARGIN = 1;
  private static final int WORDS = 16;
  private static final int BATCH = 64;
  private static final int EVERY = 25;

  private final Supplier<Optional<Path>> wordnet;

  /// On the WordNet of this environment.
  OrderEmbeddings() {
    this(() -> WordNet.find(System::getenv));
  }

  OrderEmbeddings(Supplier<Optional<Path>> wordnet) {
    this.wordnet = wordnet;
  }

  @Override
  public Statement statement() {
    return new Statement(
        "order-embeddings",
        "Does layer norm train a GRU that embeds phrases in an order faster, and to a better end?",
        "An LN-GRU is at the best validation accuracy of the GRU in at most 60 % of its steps, and"
            + " its best model is no worse on held-out pairs.",
        "Ba et al. 2016, section 6.1, figure 1 and table 2; on the hypernyms of Vendrov et al."
            + " 2016, section 4",
        "50 s");
  }

  @Override
  public Optional<String> missing() {
    return wordnet.get().isPresent() ? Optional.empty() : Optional.of(WordNet.missing());
  }

  /// One net and how it trains.
  private record Arm(String name, GateNorm norm, double learningRate) {}

  @Override
  public void observe(Size size, long seed, Notebook note) {
    var corpus = corpus(size);
    double learningRate = size == Size.FULL ? 0.005 : 0.02;
    var gru = new Arm("GRU", GateNorm.NONE, learningRate);
    ValidationCurve plain = train(gru, corpus, size, seed, note);
    ValidationCurve normed =
        train(new Arm("LN-GRU", GateNorm.LAYER, learningRate), corpus, size, seed, note);
    ValidationCurve faster =
        train(
            new Arm("LN-GRU, twice the learning rate", GateNorm.LAYER, 2 * learningRate),
            corpus,
            size,
            seed,
            note);
    train(
        new Arm("GRU, words in a drawn order", GateNorm.NONE, learningRate),
        corpus.shuffled(RandomKey.of(seed, "order of words")),
        size,
        seed,
        note);
    double steps = plain.firstAtLeast(plain.best());
    note.measure("steps of the GRU to its best validation accuracy", steps);
    note.measure(
        "share of these steps to be there, LN-GRU",
        normed.firstAtLeast(plain.best()) / steps,
        Bound.atMost(0.6));
    note.measure(
        "share of these steps to be there, twice the learning rate",
        faster.firstAtLeast(plain.best()) / steps);
    note.measure(
        "held-out accuracy, LN-GRU less GRU, points",
        note.value("LN-GRU, held-out accuracy, %") - note.value("GRU, held-out accuracy, %"),
        Bound.atLeast(0));
  }

  private HypernymCorpus corpus(Size size) {
    Path file = wordnet.get().orElseThrow();
    List<Synset> synsets = WordNet.read(file);
    try {
      return HypernymCorpus.of(
          synsets, WORDS, size.of(100, 4_000, 20_000), size.of(20, 500, 1_000));
    } catch (IllegalArgumentException e) {
      throw new BadFileException(file, String.valueOf(e.getMessage()), e);
    }
  }

  private static ValidationCurve train(
      Arm arm, HypernymCorpus corpus, Size size, long seed, Notebook note) {
    int steps = size.of(EVERY, 400, 1_000);
    var curve = new ValidationCurve(EVERY);
    double held = Double.NaN;
    try (var _ = Scope.open()) {
      int hidden = size.of(8, 48, 256);
      int vocabulary = corpus.phrases().vocabulary();
      var net = PhraseEncoder.of(Init.he(seed), arm.norm, vocabulary, size.of(4, 32, 64), hidden);
      FlatParams params = FlatParams.of(net.params());
      var adam = new Adam(params);
      RandomKey draw = RandomKey.of(seed, "batches of pairs");
      for (int step = 1; step <= steps; step++) {
        note.alive();
        accumulate(net, corpus, corpus.batch(BATCH, draw.at(step)));
        Clip.to(params, 1);
        adam.step(arm.learningRate);
        if (step % EVERY == 0) {
          double[] penalties = penalties(net, corpus.phrases(), corpus.valid());
          double threshold = corpus.valid().threshold(penalties);
          if (curve.add(corpus.valid().accuracy(penalties, threshold))) {
            double[] ofTest = penalties(net, corpus.phrases(), corpus.test());
            held = corpus.test().accuracy(ofTest, threshold);
          }
        }
      }
    }
    note.measure(arm.name + ", best validation accuracy, %", curve.best());
    note.measure(arm.name + ", held-out accuracy, %", held);
    curve.draw("Validation accuracy", "%", arm.name, note);
    return curve;
  }

  /// Adds the gradients of the loss of these pairs.
  private static void accumulate(PhraseEncoder net, HypernymCorpus corpus, Pairs pairs) {
    try (var _ = Scope.open()) {
      var read = net.forward(corpus.phrases().of(pairs.synsets()));
      var loss = OrderPenalty.loss(read.points(), pairs, MARGIN);
      read.pullback().accept(loss.back(Tensor.scalar(read.points().type(), 1)));
    }
  }

  private static double[] penalties(PhraseEncoder net, Phrases phrases, Pairs pairs) {
    try (var _ = Scope.open()) {
      Tensor points = net.predict(phrases.of(pairs.synsets()));
      Tensor specific = Torch.rows(points, pairs.specific());
      return OrderPenalty.of(specific, Torch.rows(points, pairs.general())).toDoubles();
    }
  }
}
