package fathom.task;

import fathom.Node;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.data.Rows;
import fathom.data.Streams;
import fathom.data.Text;
import fathom.loss.CrossEntropy;
import fathom.net.LanguageModel;
import fathom.recurrent.State;
import fathom.recurrent.WatchedSteps;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/// The task to predict the next character of a text. A batch is a number of streams side by side,
/// and a step takes one window of all of them. The state at the end of a window is the start of the
/// next one and is zero at the start of an epoch; gradients do not cross windows (truncated
/// backpropagation through time). A net without a state sees every window independently. An example
/// is a character.
///
/// @param text the text, in a part for training and a part for validation
/// @param window the number of characters that every stream reads in a step
/// @param smoothing the share of every label that is spread evenly over all characters; see
///   [CrossEntropy]
public record CharacterModel(Text text, int window, double smoothing)
    implements Task<LanguageModel> {
  private static final String CARRIED = "carried.";

  /// Returns the task without label smoothing.
  public static CharacterModel of(Text text, int window) {
    return new CharacterModel(text, window, 0);
  }

  @Override
  public Session<LanguageModel> open(Setting setting) {
    return new Own(setting);
  }

  @Override
  public LanguageModel watched(LanguageModel net, Watch watch) {
    return net.watched(
        new WatchedSteps.Observer() {
          @Override
          public void value(String path, Node node, Tensor y) {
            watch.activation(path, node, y);
          }

          @Override
          public void cotangent(String path, Node node, Tensor dy) {
            watch.cotangent(path, node, dy);
          }
        });
  }

  private final class Own implements Session<LanguageModel> {
    private final Setting setting;
    private final Streams streams;
    private final Rows own;

    /// The state of this worker's streams.
    private State carried = State.of();

    /// The state at the start of the last step, so that the step can be repeated.
    private State before = State.of();

    private int made = -1;

    Own(Setting setting) {
      this.setting = setting;
      this.streams = new Streams(text.train(), setting.batch(), window);
      this.own = setting.share(new Rows(0, streams.count()));
    }

    @Override
    public void start(LanguageModel net) {
      carried = net.start(own.count());
      before = net.start(own.count());
    }

    @Override
    public int steps() {
      return streams.windows();
    }

    @Override
    public int examples(int step) {
      return Math.multiplyExact(streams.window(step).count(), streams.count());
    }

    @Override
    public List<String> counted() {
      return List.of(ImageClassification.ERROR);
    }

    @Override
    public void begin(int epoch, int step) {
      made = -1;
      if (step == 0) {
        carried.tensors().forEach(Tensor::zero_);
      }
    }

    @Override
    public Objective forward(LanguageModel net, int step) {
      if (own.count() == 0) {
        return Objective.none(1); // there are fewer streams than workers
      }
      if (step == made) {
        Evaluation.carry(before, carried);
      } else {
        Evaluation.carry(carried, before);
        made = step;
      }
      Rows places = streams.window(step);
      int[] next = streams.next(places, own);
      var traced = net.forward(streams.read(places, own), carried);
      Traced loss = CrossEntropy.of(traced.logits(), next, smoothing);
      return new Objective(
          loss.value().item(),
          new double[] {CrossEntropy.errors(traced.logits(), next)},
          () -> {
            traced.back(loss.back(Tensor.scalar(traced.logits().type(), 1)));
            Evaluation.carry(traced.end(), carried);
          });
    }

    @Override
    public @Nullable Figures evaluate(LanguageModel net, Part part) {
      return switch (part) {
        case TRAINING -> {
          int length = Math.min(text.validation().length, text.train().length);
          yield figures(net, Arrays.copyOf(text.train(), length));
        }
        case VALIDATION -> null;
        case TEST -> figures(net, text.validation());
      };
    }

    private Figures figures(LanguageModel net, int[] text) {
      return Evaluation.of(net, text, setting.workers(), setting.stop()).figures();
    }

    /// Returns false, because a worker knows only the states of its own streams.
    @Override
    public boolean storesAlone() {
      return false;
    }

    /// The states of all streams, S×H each, gathered from the workers.
    @Override
    public SequencedMap<String, Tensor> state() {
      var state = new LinkedHashMap<String, Tensor>();
      for (Tensor part : carried.tensors()) {
        Tensor whole = Tensor.zeros(part.type(), streams.count(), part.shape().size(1));
        if (own.count() > 0) {
          whole.narrow(0, own.from(), own.to()).copy_(part);
        }
        setting.workers().allReduce(whole);
        state.put(CARRIED + state.size(), whole);
      }
      return state;
    }

    @Override
    public void restore(Map<String, Tensor> stored) {
      int i = 0;
      for (Tensor part : carried.tensors()) {
        try (var _ = Scope.open()) {
          Tensor whole = Objects.requireNonNull(stored.get(CARRIED + i++));
          part.copy_(whole.narrow(0, own.from(), own.to()));
        }
      }
    }
  }
}
