package fathom.run;

import fathom.data.Data;
import fathom.data.Decoders;
import fathom.data.ImageReadOptions;
import fathom.data.Normalization;
import fathom.data.Origin;
import fathom.net.Architecture;
import fathom.train.Recording;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A kind of runs: which nets learn which data by which task, and what their figures are called.
/// Images, text and masks are three; the command line, runs and reports know each only by what it
/// says here. A new one is a class of its own and an entry in [#all()].
///
/// A kind has no state.
public interface Kind {
  /// Every kind, in the order in which they are asked. The last takes what no other does.
  static List<Kind> all() {
    return List.of(new TextRuns(), new MaskRuns(), new ImageRuns());
  }

  /// The kind whose data is called so.
  static Kind ofData(String spec) {
    return all().stream().filter(kind -> kind.reads(spec)).findFirst().orElseThrow();
  }

  /// The kind of this data, wherever it comes from.
  static Kind of(Data data) {
    return all().stream().filter(kind -> kind.learns(data)).findFirst().orElseThrow();
  }

  /// The kind of runs of this net, which has a window where it learns text.
  static Kind of(String model, int window) {
    return all().stream().filter(kind -> kind.learns(model, window)).findFirst().orElseThrow();
  }

  /// What such runs are about: "images".
  String name();

  /// Whether data that a user calls so is of this kind.
  boolean reads(String spec);

  boolean learns(Data data);

  boolean learns(String model, int window);

  /// The net of this name. Throws `IllegalArgumentException` if there is none for such data, or if
  /// an option means nothing to it.
  Architecture architecture(String model, Architecture.Options options);

  /// How a folder of images is to be read for this net, where the user gave a side or null.
  ImageReadOptions reading(Architecture net, ImageReadOptions how, @Nullable Integer side);

  /// Whether `size` has a meaning for this data, which [#reading] gave it.
  boolean hasSize(Data read);

  /// A short training, for two cores. Throws `IllegalArgumentException` for another net or other
  /// data.
  Recipe fast(Architecture net, Data data, long seed, int workers);

  /// What is done to images where the user gave this side.
  default Preprocessing sized(Preprocessing usual, int side) {
    return usual; // the data was read in this size
  }

  /// Throws `IllegalArgumentException` for parts of a recipe that such a training does not have.
  void check(
      Architecture net,
      Sampling sampling,
      Optimization optimization,
      Preprocessing preprocessing,
      Execution execution,
      Recording recording);

  /// Throws `IllegalArgumentException` if there is less data than one step needs, or if a norm of
  /// the net would be over a single value in some batch of an epoch.
  void check(Recipe recipe, Data data);

  /// The same with a smaller batch and window where the data has less.
  ///
  /// @param batch whether the batch may change
  /// @param window whether the window may
  Recipe fitted(Recipe recipe, Data data, boolean batch, boolean window);

  /// The recipe of a run that goes on with other data than it was trained on: as far as it counts
  /// examples, it counts those that there are now.
  default Recipe goingOn(Recipe recipe, RunData before, Data data) {
    return recipe;
  }

  /// How much there is of what.
  Amounts amounts(Recipe recipe, Data data);

  /// Whether a checkpoint says what is done to images, and a run goes on with that.
  default boolean normalizes() {
    return false;
  }

  /// What is done to images, as the recipe wants it and the training images decide it; null where
  /// the task finds it itself, or there are no images.
  default @Nullable Normalization normalization(Recipe recipe, Data data) {
    return null;
  }

  /// The net and the task of a run.
  ///
  /// @param known what is done to images, if that has been found already; see [#normalization]
  Subject<?> subject(Run run, Data data, Decoders decoders, @Nullable Normalization known);

  /// Throws `IllegalArgumentException` unless these are classes, and channels, height and width of
  /// images, that such a run can have.
  void check(List<String> classes, List<Integer> input);

  /// Reads data for the net of a run: the images of a folder in its size and divided as it was,
  /// otherwise as `how` says. Throws [fathom.io.BadFileException] for data that this net cannot
  /// read.
  Data open(Run run, String spec, ImageReadOptions how);

  /// The same to be tested with alone.
  default Data openForTests(Run run, String spec, ImageReadOptions how) {
    return open(run, spec, how);
  }

  /// What of this data, opened for tests, the run was not trained with.
  default Data unseen(Run run, Data data) {
    return data;
  }

  /// The files of each part; null where the examples are no files, or nobody keeps a list of them.
  default @Nullable Origin origin(Recipe recipe, Data data) {
    return null;
  }

  /// What a report shows and the command line says of such runs.
  Wording wording();

  /// How much data a training has.
  ///
  /// @param steps of an epoch
  /// @param train examples that are trained with
  /// @param validation examples that are evaluated at the end of every epoch
  /// @param end examples that are evaluated at the end of the training besides
  record Amounts(long steps, long train, long validation, long end) {}
}
