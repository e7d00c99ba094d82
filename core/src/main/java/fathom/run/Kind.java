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

/// A kind of run: which nets learn which data by which task, and the names of its figures. There
/// are three: images, text and masks. The command line, runs and reports know a kind only through
/// this interface. A new kind is a class of its own and an entry in [#all()].
///
/// A kind has no state.
public interface Kind {
  /// Returns all kinds, in the order in which they are asked. The last one takes what no other
  /// takes.
  static List<Kind> all() {
    return List.of(new TextRuns(), new MaskRuns(), new ImageRuns());
  }

  /// Returns the kind of the data that a user names `spec`.
  static Kind ofData(String spec) {
    return all().stream().filter(kind -> kind.reads(spec)).findFirst().orElseThrow();
  }

  /// Returns the kind of this data.
  static Kind of(Data data) {
    return all().stream().filter(kind -> kind.learns(data)).findFirst().orElseThrow();
  }

  /// Returns the kind of runs of this net; `window` is above 0 if the run learns text.
  static Kind of(String model, int window) {
    return all().stream().filter(kind -> kind.learns(model, window)).findFirst().orElseThrow();
  }

  /// Returns the name of the kind, such as "images".
  String name();

  /// Returns whether data that a user names `spec` is of this kind.
  boolean reads(String spec);

  /// Returns whether runs of this kind learn this data.
  boolean learns(Data data);

  /// Returns whether a run of this net is of this kind; `window` is above 0 if it learns text.
  boolean learns(String model, int window);

  /// Returns the net of this name. Throws `IllegalArgumentException` if there is none for such
  /// data, or if the net does not have one of the options.
  Architecture architecture(String model, Architecture.Options options);

  /// Returns how to read a folder of images for this net. `side` is the user's image size in
  /// pixels, or null.
  ImageReadOptions reading(Architecture net, ImageReadOptions how, @Nullable Integer side);

  /// Returns whether an image size means anything for this data, which was read as [#reading] says.
  boolean hasSize(Data read);

  /// Returns the recipe of a short training on two cores; see [Recipe#usual]. Throws
  /// `IllegalArgumentException` if the net or the data is of another kind.
  Recipe usual(Architecture net, Data data, long seed, int workers);

  /// Returns the preprocessing of images for which the user gave this side in pixels.
  default Preprocessing sized(Preprocessing usual, int side) {
    return usual; // the data has been read in this size
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
  /// the net would be over a single element in some batch of an epoch.
  void check(Recipe recipe, Data data);

  /// Returns the recipe with a smaller batch and window if there is less data.
  ///
  /// @param batch whether the batch may change
  /// @param window whether the window may change
  Recipe fitted(Recipe recipe, Data data, boolean batch, boolean window);

  /// Returns the recipe for a run that continues with other data than before: numbers of examples
  /// in it, such as the size of the validation data, are adapted to the data there is now.
  default Recipe goingOn(Recipe recipe, RunData before, Data data) {
    return recipe;
  }

  /// Returns the amounts of data of a training by this recipe.
  Amounts amounts(Recipe recipe, Data data);

  /// Returns whether runs of this kind can begin with trained weights; see [FineTuning].
  default boolean finetunes() {
    return false;
  }

  /// Returns whether a checkpoint stores the normalization of images, with which a run then
  /// continues.
  default boolean normalizes() {
    return false;
  }

  /// Returns the normalization of images by the recipe and the training images; null if the task
  /// finds it itself, or if there are no images.
  default @Nullable Normalization normalization(Recipe recipe, Data data) {
    return null;
  }

  /// Returns the net and the task of a run.
  ///
  /// @param known the normalization of images, if it has been found already; see [#normalization]
  Subject<?> subject(Run run, Data data, Decoders decoders, @Nullable Normalization known);

  /// Throws `IllegalArgumentException` unless a run of this kind can have these classes and this
  /// image shape (channels, height and width).
  void check(List<String> classes, List<Integer> input);

  /// Reads data for the net of a run. The images of a folder are read in the size of the run and
  /// divided as they were then; everything else is as `how` says. Throws
  /// [fathom.io.BadFileException] for data that this net cannot read.
  Data open(Run run, String spec, ImageReadOptions how);

  /// Reads data in the same way, but only its test part.
  default Data openForTests(Run run, String spec, ImageReadOptions how) {
    return open(run, spec, how);
  }

  /// Returns the part of this data, opened for tests, that the run was not trained with.
  default Data unseen(Run run, Data data) {
    return data;
  }

  /// Returns the files of each part; null if the examples are not files, or if no list of them is
  /// kept.
  default @Nullable Origin origin(Recipe recipe, Data data) {
    return null;
  }

  /// Returns the words that reports and the command line use for such runs.
  Wording wording();

  /// The amounts of data of a training.
  ///
  /// @param steps the number of steps of an epoch
  /// @param train the number of training examples
  /// @param validation the number of examples that are evaluated at the end of every epoch
  /// @param end the number of further examples that are evaluated at the end of the training
  record Amounts(long steps, long train, long validation, long end) {}
}
