package fathom.train;

import fathom.Collective;
import fathom.Node;
import fathom.Tensor;
import fathom.data.Data;
import fathom.data.DataSet;
import fathom.data.Decoders;
import fathom.data.Normalization;
import fathom.data.Pictures;
import fathom.data.Rows;
import fathom.data.Text;
import fathom.nn.Init;
import java.nio.file.Path;
import java.util.SequencedMap;
import java.util.function.BiFunction;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// What one worker of a training learns and from what: its net, and its share of every batch.
///
/// All workers call the same methods in the same order. An example is a picture, or a character to
/// be predicted.
sealed interface Learner permits PictureLearner, TextLearner {
  /// Makes the learner of each worker of `run`, its weights drawn by an [Init].
  ///
  /// @param known what is done to pictures, where that is decided already; null to find it out from
  ///   those that are trained with
  /// @param step after which it goes on
  static BiFunction<Collective, Init, Learner> makers(
      Run run, Data data, Decoders decoders, @Nullable Normalization known, long step) {
    Recipe recipe = run.recipe();
    return switch (data) {
      case DataSet pictures -> {
        DataSet judged = pictures.judgedBy(recipe.validation(), recipe.seed()).decodedBy(decoders);
        Normalization normalization =
            known != null ? known : recipe.preparation().normalization(judged.train());
        yield (all, init) -> new PictureLearner(run, judged, normalization, all, init, step);
      }
      case Text text -> (all, init) -> new TextLearner(run, text, all, init);
    };
  }

  /// The net as it is written down, without fusion.
  Node net();

  /// The steps of an epoch.
  int batches();

  /// Which of an epoch's examples batch `batch` has, over all workers; the batches follow one
  /// another.
  Rows batch(int batch);

  /// Makes ready for the rest of an epoch, from this batch on, and for those that follow.
  void begin(int epoch, int batch);

  /// Adds this worker's share of a batch to the gradients; returns its share of the mean loss, and
  /// how many examples of it were predicted wrongly.
  double[] gradients(int batch);

  /// Where numbers first stop being finite in this batch, whose gradients were just summed; null if
  /// this worker does not see it.
  @Nullable String notFinite(int batch);

  /// All that is for testing, by the weights as they are; every worker gets the same. This and the
  /// other evaluations throw [StoppedException], on all workers, if `stop` asks any of them to.
  Evaluation test(BooleanSupplier stop);

  /// What epochs are judged by: that which is kept from training for it, else what is for testing.
  default Evaluation held(BooleanSupplier stop) {
    return test(stop);
  }

  /// The pictures that are trained with; null for text.
  default @Nullable Pictures pictures() {
    return null;
  }

  /// What became of each test picture in the last [#test]; null for text.
  default @Nullable Answers answers(long step) {
    return null;
  }

  /// What was trained with, as it is.
  Evaluation trained(BooleanSupplier stop);

  /// A look at the layers; only the first worker asks.
  Metrics.@Nullable Layers layers(long step);

  /// What a checkpoint needs besides weights and optimizer, in the innermost scope. Workers meet
  /// here.
  SequencedMap<String, Tensor> stored();

  /// Whether one worker alone has all that is [#stored()].
  boolean storesAlone();

  /// Reads what was [#stored()].
  void resume(Path checkpoint);
}
