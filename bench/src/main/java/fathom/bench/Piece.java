package fathom.bench;

import fathom.DeviceException;
import fathom.Scope;
import fathom.net.Architecture;
import fathom.nn.Init;
import fathom.train.Precision;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/// A suite with the net, the batch and the precision at which it is measured, which some suites do
/// not ask for.
///
/// @param recompute blocks that are recomputed at a time in a training, 0 for none
public record Piece(
    Suite suite, Architecture.Convolutional net, int batch, int recompute, Precision precision) {
  /// The usual batches of [Suite#INFER].
  public static final List<Integer> SMALL = List.of(1, 8, 128);

  private static final List<Integer> PHOTOS = List.of(1, 8);

  /// A round of a service is a minute of load by many clients, and its figures are of thousands of
  /// requests each.
  private static final int MOST_SERVED = 3;

  /// How a piece is measured.
  ///
  /// @param rounds the runs of each contender, in turn
  /// @param workers threads
  /// @param peers the systems that run in turn with Fathom
  /// @param say receives messages about what is left out
  /// @param commandLine the program whose commands are measured as whole processes
  public record Terms(
      int rounds, int workers, Peers peers, Consumer<String> say, Class<?> commandLine) {
    /// Returns these terms with at most so many rounds.
    Terms atMost(int most) {
      return new Terms(Math.min(rounds, most), workers, peers, say, commandLine);
    }
  }

  /// All pieces that the tables of results quote; those in bfloat16 only where the processor has
  /// instructions for it.
  public static List<Piece> all() {
    Architecture.Convolutional small = Architecture.Convolutional.named("resnet20");
    Architecture.Convolutional photos = Architecture.Convolutional.named("resnet50");
    var pieces = new ArrayList<Piece>();
    for (String net : List.of("resnet20", "resnet56", "resnet110")) {
      pieces.add(
          new Piece(Suite.TRAIN, Architecture.Convolutional.named(net), 128, 0, Precision.FP32));
    }
    pieces.add(new Piece(Suite.TRAIN, photos, 8, 0, Precision.FP32));
    pieces.add(new Piece(Suite.TRAIN, photos, 32, 0, Precision.FP32));
    SMALL.forEach(batch -> pieces.add(new Piece(Suite.INFER, small, batch, 0, Precision.FP32)));
    PHOTOS.forEach(batch -> pieces.add(new Piece(Suite.INFER, photos, batch, 0, Precision.FP32)));
    for (Suite suite : List.of(Suite.RNN, Suite.TEXT, Suite.NORM)) {
      pieces.add(new Piece(suite, small, 128, 0, Precision.FP32));
    }
    var deep = Architecture.Convolutional.named("resnet110");
    pieces.add(new Piece(Suite.MEMORY, deep, 128, 0, Precision.FP32));
    pieces.add(new Piece(Suite.MEMORY, photos, 8, 0, Precision.FP32));
    for (Suite suite : List.of(Suite.START, Suite.GROWTH, Suite.PHOTOS, Suite.DATA, Suite.SERVE)) {
      pieces.add(new Piece(suite, small, 128, 0, Precision.FP32));
    }
    if (hasBfloat16()) {
      pieces.add(new Piece(Suite.TRAIN, small, 128, 0, Precision.BF16));
      pieces.add(new Piece(Suite.TRAIN, photos, 8, 0, Precision.BF16));
      pieces.add(new Piece(Suite.INFER, small, 128, 0, Precision.BF16));
      PHOTOS.forEach(batch -> pieces.add(new Piece(Suite.INFER, photos, batch, 0, Precision.BF16)));
    }
    return pieces;
  }

  private static boolean hasBfloat16() {
    try {
      Precision.BF16.check();
      return true;
    } catch (DeviceException _) { // this processor has no instructions for it
      return false;
    }
  }

  /// What is measured, in words that tell it from every other piece.
  public String name(int workers) {
    return suite.text() + " " + TrainSuite.name(net, batch, workers, recompute, precision);
  }

  /// Measures this piece. Throws `IllegalStateException` if what a contender computes is wrong.
  public List<Result> run(Terms terms) {
    int rounds = terms.rounds;
    int workers = terms.workers;
    Peers peers = terms.peers;
    return switch (suite) {
      case TRAIN -> TrainSuite.run(net, batch, rounds, workers, recompute, precision, peers);
      case TEXT -> TextSuite.run(rounds, workers, peers);
      case NORM -> NormSuite.run(rounds);
      case RNN -> RecurrentSuite.run(rounds, workers, peers);
      case INFER -> InferSuite.run(net, batch, rounds, precision, peers);
      case DATA -> DataSuite.run(net, batch, rounds, workers);
      case START -> StartSuite.run(net, batch, terms);
      case PHOTOS -> PhotosSuite.run(terms);
      case SERVE -> ServeSuite.run(net, terms.atMost(MOST_SERVED).rounds, terms.commandLine);
      case MEMORY -> memory(terms);
      case GROWTH -> GrowthSuite.run(terms);
    };
  }

  private List<Result> memory(Terms terms) {
    String unavailable = MemorySuite.unavailable();
    if (unavailable != null) {
      terms.say.accept(unavailable);
      return List.of();
    }
    long parameters;
    try (var _ = Scope.open()) {
      parameters =
          net.build(Init.zeros()).params().stream()
              .mapToLong(p -> p.value().shape().elements())
              .sum();
    }
    String name =
        String.format(
            Locale.ROOT,
            "%s, %,d parameters",
            TrainSuite.name(net, batch, terms.workers, recompute, precision),
            parameters);
    return MemorySuite.run(name, net, batch, terms.workers, recompute, precision, terms.peers);
  }
}
