package fathom.task;

import fathom.DType;
import fathom.Layer;
import fathom.RandomKey;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import fathom.data.Epochs;
import fathom.data.Rows;
import fathom.loss.Loss;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// The task to map each input to its target: a regression with any [Loss], or a classifier.
///
/// Every epoch visits every example once, in an order that the seed and the epoch decide.
///
/// @param train the examples to train with
/// @param validation the examples that decide which epoch is the best; null if `test` does that
/// @param test the test examples; null if nothing is held out, and then `train` decides which epoch
///   is the best
/// @param loss the loss of the net's output against the targets
public record Supervised(
    Source train, @Nullable Source validation, @Nullable Source test, Loss loss)
    implements LayerTask {
  private static final String ERROR = "error";

  /// Returns a task that trains with all of a source and holds nothing out.
  public static Supervised of(Source train, Loss loss) {
    return new Supervised(train, null, null, loss);
  }

  /// Returns a task over rows of numbers and the target of each, which holds nothing out.
  public static Supervised of(float[][] inputs, float[][] targets, Loss loss) {
    return of(Source.of(inputs, targets), loss);
  }

  /// Returns a classifier of rows of numbers, trained by the cross-entropy of their classes.
  public static Supervised ofClasses(float[][] inputs, int[] labels) {
    return of(Source.ofClasses(inputs, labels), Loss.CROSS_ENTROPY);
  }

  /// Returns this task with these test examples.
  public Supervised testedBy(Source test) {
    return new Supervised(train, validation, test, loss);
  }

  /// Returns this task with these validation examples.
  public Supervised validatedBy(Source validation) {
    return new Supervised(train, validation, test, loss);
  }

  /// Returns this task with a share of the training examples held out as its test examples. A
  /// random key with a fixed seed chooses them. Throws `IllegalArgumentException` if that would
  /// hold out no example or all of them.
  public Supervised heldOut(double share) {
    int held = (int) Math.round(share * train.count());
    if (held < 1 || held >= train.count()) {
      throw new IllegalArgumentException(
          "at least one example is held out and one is not, but %s of %s are to be"
              .formatted(held, train.count()));
    }
    int[] order = RandomKey.of(0, "held out").permutation(train.count());
    return new Supervised(
        train.select(train.count() - held, i -> order[held + i]),
        validation,
        train.select(held, i -> order[i]),
        loss);
  }

  @Override
  public boolean better(Figures now, Figures before) {
    return (loss.classifies() && now.get(ERROR) != before.get(ERROR))
        ? now.get(ERROR) < before.get(ERROR)
        : now.loss() < before.loss();
  }

  @Override
  public Session<Layer> open(Setting setting) {
    return new Own(setting);
  }

  private final class Own implements EpochSession<Layer> {
    private final Setting setting;
    private final Epochs epochs;
    private int[] order = {};

    Own(Setting setting) {
      this.setting = setting;
      this.epochs = setting.over(train.count());
    }

    @Override
    public Epochs epochs() {
      return epochs;
    }

    @Override
    public void begin(int epoch, int step) {
      order = epochs.order(epoch);
    }

    @Override
    public Objective forward(Layer net, int step) {
      Rows own = setting.share(epochs.batch(step));
      return objective(net, train, Arrays.copyOfRange(order, own.from(), own.to()));
    }

    @Override
    public Objective probe(Layer net) {
      return objective(net, train, IntStream.range(0, Math.min(64, train.count())).toArray());
    }

    private Objective objective(Layer net, Source source, int[] indices) {
      Traced y = net.forward(inputs(source, indices));
      float[][] targets = targets(source, indices);
      Traced value = loss.of(y.value(), targets);
      return loss.classifies()
          ? Objective.of(y, value, Loss.errors(y.value(), targets))
          : Objective.of(y, value);
    }

    @Override
    public List<String> counted() {
      return loss.classifies() ? List.of(ERROR) : List.of();
    }

    @Override
    public @Nullable Figures evaluate(Layer net, Part part) {
      return switch (part) {
        case TRAINING -> figures(net, train);
        case VALIDATION -> validation == null ? null : figures(net, validation);
        case TEST -> test == null ? null : figures(net, test);
      };
    }

    private Figures figures(Layer net, Source source) {
      int count = source.count();
      double[] sums =
          setting.measured(
              count,
              2,
              (own, add) -> {
                int[] indices = IntStream.range(own.from(), own.to()).toArray();
                float[][] targets = targets(source, indices);
                Tensor y = net.predict(inputs(source, indices));
                add[0] += loss.of(y, targets).value().item() * own.count();
                add[1] += loss.classifies() ? Loss.errors(y, targets) : 0;
              });
      Figures figures = Figures.of(count, sums[0] / count);
      return loss.classifies() ? figures.with(ERROR, 100 * sums[1] / count) : figures;
    }
  }

  private static float[][] targets(Source source, int[] indices) {
    return Arrays.stream(indices).mapToObj(source::target).toArray(float[][]::new);
  }

  /// The inputs at these indices, N×S for inputs of shape S.
  private static Tensor inputs(Source source, int[] indices) {
    Shape one = source.shape();
    int size = Math.toIntExact(one.elements());
    float[] all = new float[Math.multiplyExact(indices.length, size)];
    for (int i = 0; i < indices.length; i++) {
      float[] input = source.input(indices[i]);
      if (input.length != size) {
        throw new IllegalArgumentException(
            "every input has the %s numbers of %s, but input %s has %s"
                .formatted(size, one, indices[i], input.length));
      }
      System.arraycopy(input, 0, all, i * size, size);
    }
    long[] shape = new long[one.rank() + 1];
    shape[0] = indices.length;
    System.arraycopy(one.toArray(), 0, shape, 1, one.rank());
    return indices.length == 0 ? Tensor.zeros(DType.FLOAT32, shape) : Tensor.of(all, shape);
  }
}
