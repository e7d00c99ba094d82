package fathom.run;

import fathom.Layer;
import fathom.data.Data;
import fathom.data.DataIdentity;
import fathom.data.DataSet;
import fathom.data.ImageReadOptions;
import fathom.data.Normalization;
import fathom.data.Origin;
import fathom.data.Vocabulary;
import fathom.infer.ImageClassifier;
import fathom.infer.MaskPredictor;
import fathom.infer.ModelCard;
import fathom.infer.TextGenerator;
import fathom.io.AtomicFile;
import fathom.io.BadFileException;
import fathom.io.Json;
import fathom.io.RegularFile;
import fathom.net.Architecture;
import fathom.net.ImageShape;
import fathom.net.LanguageModel;
import fathom.nn.Init;
import fathom.task.Answers;
import fathom.task.AnswersFile;
import fathom.train.EarlyStopping;
import fathom.train.Machine;
import fathom.train.Metrics;
import fathom.train.MetricsFile;
import fathom.train.Precision;
import fathom.train.Recorder;
import fathom.train.RunLock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

/// A run in its folder. The folder has these files:
///
/// - `run.json` describes what was trained, where and by what.
/// - `metrics.jsonl` has a line for each record of [Metrics].
/// - `checkpoint.safetensors` has weights, optimizer and position, and is always replaced as a
///   whole.
/// - `best.safetensors` has the weights of the best epoch so far.
/// - `answers.json` has the predictions for the test images at the end.
/// - `images.tsv` lists the files for training, validation and testing.
/// - `report.html` is the report.
public final class Run {
  /// The content of `run.json`.
  ///
  /// @param format the number of the file's format
  /// @param source the version of Fathom, with the commit if it is known
  /// @param started the time at which the run was created, in UTC
  /// @param recipe the recipe
  /// @param classes the names of the classes, in the order of the net's outputs; for text, its
  ///   vocabulary
  /// @param input the image shape: channels, height and width; empty for text
  /// @param classCounts the number of training images of each class, without those for validation;
  ///   empty for other data, and for runs of older versions
  /// @param data the place and the identity of the data
  /// @param machine the software and the machine that started the run
  public record Info(
      int format,
      String source,
      String started,
      Recipe recipe,
      List<String> classes,
      List<Integer> input,
      List<Integer> classCounts,
      RunData data,
      Machine machine) {
    public Info {
      classes = List.copyOf(classes);
      input = List.copyOf(input);
      classCounts = List.copyOf(classCounts);
      recipe.kind().check(classes, input);
    }
  }

  private final Path folder;
  private final Info info;

  private Run(Path folder, Info info) {
    this.folder = folder;
    this.info = info;
  }

  /// Starts a run in `folder`, which is created if need be. Throws [BadFileException] if the folder
  /// has a run already or cannot be written, and [fathom.DeviceException] if the training certainly
  /// does not fit into the available memory.
  public static Run create(Path folder, Recipe recipe, Data data) {
    Path file = folder.resolve(RunFile.NAME);
    if (Files.exists(file)) {
      throw new BadFileException(
          folder,
          "there is a run in this folder already; give another one (`out`), or go on with this one"
              + " (`resume`)");
    }
    LeastMemory.check(unwritten(recipe, data));
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new BadFileException(
          folder,
          Files.exists(folder)
              ? "a run is a folder, but this is a file; give another name"
              : "the folder of the run cannot be made (%s); give another path, or make the folder above it"
                  .formatted(AtomicFile.reason(e)),
          e);
    }
    Info info = describe(recipe, data, RunData.of(folder, data, split(data), List.of()));
    writeImages(folder, recipe, data);
    RunFile.write(file, info);
    return new Run(folder, info);
  }

  /// The split with which the data was opened.
  private static ImageReadOptions.Split split(Data data) {
    Origin origin = data instanceof DataSet images ? images.origin() : null;
    return origin != null && origin.hasFiles()
        ? origin.split()
        : ImageReadOptions.Split.ALL_BY_NAME;
  }

  /// A run of which nothing is written, for building its nets.
  static Run unwritten(Recipe recipe, Data data) {
    return new Run(Path.of("unwritten"), describe(recipe, data, RunFile.UNKNOWN));
  }

  private static void writeImages(Path folder, Recipe recipe, Data data) {
    Origin origin = recipe.kind().origin(recipe, data);
    if (origin != null) {
      ImageList.write(folder.resolve(ImageList.NAME), origin);
    }
  }

  private static Info describe(Recipe recipe, Data data, RunData known) {
    Machine machine = Machine.here();
    return new Info(
        RunFile.FORMAT,
        machine.source(),
        Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
        recipe,
        data.classes(),
        data.input(),
        data instanceof DataSet images
            ? images.classCounts(recipe.validation(), recipe.seed())
            : List.of(),
        known,
        machine);
  }

  /// Returns whether `folder` holds a run.
  public static boolean isIn(Path folder) {
    return Files.isRegularFile(folder.resolve(RunFile.NAME));
  }

  /// Opens the run in a folder. Throws [BadFileException] if there is none, or one that cannot be
  /// read.
  public static Run open(Path folder) {
    if (!isIn(folder)) {
      throw new BadFileException(folder, "there is no run in this folder (no run.json)");
    }
    return new Run(folder, RunFile.read(folder.resolve(RunFile.NAME)));
  }

  /// Writes another recipe into this run and returns the run with it. Throws
  /// [fathom.train.BusyRunException] while the run is being trained.
  public Run withRecipe(Recipe recipe) {
    try (var _ = RunLock.of(folder)) {
      return written(recipe, info.data);
    }
  }

  private Run written(Recipe recipe, RunData data) {
    var changed =
        new Info(
            info.format,
            info.source,
            info.started,
            recipe,
            info.classes,
            info.input,
            info.classCounts,
            data,
            info.machine);
    RunFile.write(folder.resolve(RunFile.NAME), changed);
    return new Run(folder, changed);
  }

  /// Returns this run with a recipe and data with which it continues. Both are checked, and written
  /// if they are new.
  ///
  /// Throws `IllegalArgumentException` for a recipe that ends before the run's position or for
  /// which the data does not suffice, [BadFileException] for data with other classes, or with other
  /// images or characters unless `changed` permits that, and [fathom.train.BusyRunException] while
  /// the run is being trained. Then nothing has been written.
  public Run goOn(Recipe recipe, Data data, boolean changed) {
    return Resumption.of(this, recipe, data, changed);
  }

  /// The caller holds the lock of the run.
  Run goingOn(Recipe recipe, RunData known, Data data) {
    if (recipe.equals(info.recipe) && known.equals(info.data)) {
      return this;
    }
    if (!known.identity().equals(info.data.identity())) {
      writeImages(folder, recipe, data);
    }
    return written(recipe, known);
  }

  /// Returns the content of `run.json`.
  public Info info() {
    return info;
  }

  /// Returns the recipe of the run.
  public Recipe recipe() {
    return info.recipe();
  }

  /// Builds the net for images that this run trains, in the innermost scope, with weights from
  /// `init`. Throws `IllegalStateException` if the run has no net for images.
  public Layer imageNet(Init init) {
    if (recipe().architecture() instanceof Architecture.OfImages net) {
      return net.on(input(), info.classes().size()).build(init);
    }
    throw new IllegalStateException("the run has no net for images: " + folder);
  }

  /// Builds the net for text that this run trains, in the innermost scope, with weights from
  /// `init`. Throws `IllegalStateException` if the run has no net for text.
  public LanguageModel textNet(Init init) {
    if (recipe().architecture() instanceof Architecture.OfText net) {
      return net.withVocabulary(info.classes().size()).withWindow(recipe().window()).build(init);
    }
    throw new IllegalStateException("the run is about images, not text: " + folder);
  }

  /// Returns the image shape of the run.
  public ImageShape input() {
    List<Integer> size = info.input();
    return new ImageShape(size.get(0), size.get(1), size.get(2));
  }

  /// Returns the vocabulary of a run about text.
  public Vocabulary vocabulary() {
    return new Vocabulary(info.classes());
  }

  /// Reads data for the net of this run; `spec` is as in [Data#open]. The images of a folder are
  /// read in the size of the run and divided as they were then; everything else is as `how` says.
  /// Throws `IllegalArgumentException` for data of another kind than the run learned, such as
  /// images for a net for text, and [BadFileException] for data that the net cannot read, such as a
  /// text with unknown characters.
  public Data open(String spec, ImageReadOptions how) {
    checkKind(spec);
    return recipe().kind().open(this, spec, how);
  }

  private void checkKind(String spec) {
    String learned = recipe().kind().name();
    String given = Kind.ofData(spec).name();
    if (!learned.equals(given)) {
      throw new IllegalArgumentException(
          "%s learned %s, but %s is data of another kind: %s"
              .formatted(recipe().model(), learned, spec, given));
    }
  }

  /// Reads data in the same way, but only its test part: training images are not opened.
  public Data openForTests(String spec, ImageReadOptions how) {
    checkKind(spec);
    return recipe().kind().openForTests(this, spec, how);
  }

  /// Reads the data of this run. It is looked for from any current folder: under the name that the
  /// user gave, at the place where it was, and at its path relative to the run. If there is data at
  /// several of these places, the result is the data that this run was trained on, or else the
  /// first that was found. If there is none, throws what [#open(String, ImageReadOptions)] throws
  /// for the first name.
  public Data open(ImageReadOptions how) {
    return found(UnaryOperator.identity(), name -> open(name, how));
  }

  /// Reads only the test part of the data of this run, without images that the run was trained
  /// with; see [ImageList].
  public Data openForTests(ImageReadOptions how) {
    Data data = found(DataIdentity::ofTests, name -> openForTests(name, how));
    return recipe().kind().unseen(this, data);
  }

  private Data found(UnaryOperator<DataIdentity> looked, Function<String, Data> opening) {
    DataIdentity known = looked.apply(info.data.identity());
    Data first = null;
    RuntimeException failure = null;
    for (String name : info.data.names(folder, recipe().data())) {
      try {
        Data data = opening.apply(name);
        if (known.differences(looked.apply(data.identity())).isEmpty()) {
          return data;
        }
        first = first == null ? data : first;
      } catch (BadFileException | IllegalArgumentException e) {
        failure = failure == null ? e : failure;
      }
    }
    if (first == null) {
      throw Objects.requireNonNull(failure, "a run has data with a name");
    }
    return first;
  }

  /// Returns the normalization that this run applies to images. Throws [BadFileException] if there
  /// is no checkpoint yet.
  public Normalization normalization() {
    return ModelCard.normalization(checkpoint());
  }

  /// Returns the description of the net for a file with its weights. `normalization` is that of the
  /// images, or null if the description should not include it, as for text.
  public ModelCard card(@Nullable Normalization normalization) {
    Recipe recipe = recipe();
    boolean images = !info.input().isEmpty();
    return new ModelCard(
        recipe.model(),
        recipe.options(),
        images ? input() : null,
        images ? recipe.preprocessing().size() > 0 : null,
        info.classes(),
        normalization,
        recipe.window() > 0 ? recipe.window() : null);
  }

  /// Returns the classifier with the weights of the last checkpoint. Throws [BadFileException] if
  /// there is no checkpoint yet, and `IllegalArgumentException` if the run is not about the classes
  /// of images.
  public ImageClassifier classifier() {
    return classifier(checkpoint(), Precision.FP32);
  }

  /// Returns the classifier with the weights of the best epoch. Throws as [#classifier()].
  public ImageClassifier bestClassifier() {
    return classifier(best(), Precision.FP32);
  }

  /// Returns the classifier with these weights of the run, [#checkpoint()] or [#best()], with
  /// activations in this precision. Throws as [#classifier()].
  public ImageClassifier classifier(Path weights, Precision precision) {
    return ImageClassifier.of(cardOf(weights), weights, precision);
  }

  /// Returns the text generator with the weights of the last checkpoint. Throws [BadFileException]
  /// if there is no checkpoint yet, and `IllegalArgumentException` if the run is not about text.
  public TextGenerator generator() {
    return generator(checkpoint());
  }

  /// Returns the text generator with the weights of the best epoch. Throws as [#generator()].
  public TextGenerator bestGenerator() {
    return generator(best());
  }

  /// Returns the text generator with these weights of the run, [#checkpoint()] or [#best()]. Throws
  /// as [#generator()].
  public TextGenerator generator(Path weights) {
    return TextGenerator.of(cardOf(weights), weights);
  }

  /// Returns the mask predictor with the weights of the last checkpoint. Throws [BadFileException]
  /// if there is no checkpoint yet, and `IllegalArgumentException` if the run is not about masks.
  public MaskPredictor maskPredictor() {
    return maskPredictor(checkpoint(), Precision.FP32);
  }

  /// Returns the mask predictor with the weights of the best epoch. Throws as [#maskPredictor()].
  public MaskPredictor bestMaskPredictor() {
    return maskPredictor(best(), Precision.FP32);
  }

  /// Returns the mask predictor with these weights of the run, [#checkpoint()] or [#best()], with
  /// activations in this precision. Throws as [#maskPredictor()].
  public MaskPredictor maskPredictor(Path weights, Precision precision) {
    return MaskPredictor.of(cardOf(weights), weights, precision);
  }

  private ModelCard cardOf(Path weights) {
    if (!Files.exists(weights)) {
      throw new BadFileException(
          folder,
          weights.equals(best())
              ? "the run has no weights of a best epoch; take its last checkpoint"
              : "the run has no checkpoint yet");
    }
    return card(info.input().isEmpty() ? null : ModelCard.normalization(weights));
  }

  /// Returns the folder of the run.
  public Path folder() {
    return folder;
  }

  /// Returns the path of the last checkpoint.
  public Path checkpoint() {
    return Recorder.checkpoint(folder);
  }

  /// Returns the path of the weights, buffers and normalization of the best epoch. The best epoch
  /// is the best one on the validation data, or on the test data if [Recipe#validation()] is 0: for
  /// images the one with the fewest errors, for text the one with the least cross-entropy, and for
  /// masks the one with the largest F. A training cannot continue from this file.
  public Path best() {
    return Recorder.best(folder);
  }

  /// The path of the list of the files for training, validation and testing; see [ImageList].
  Path images() {
    return folder.resolve(ImageList.NAME);
  }

  /// Returns the entry of `run.json` for a decision of this name, such as `batch` or `rate`, as
  /// JSON; empty if the recipe has no such entry.
  public Optional<String> decided(String name) {
    return Optional.ofNullable(Json.object(recipe()).findValue(name))
        .map(node -> node.isValueNode() ? node.asString() : node.toString());
  }

  /// Returns the path of the report.
  public Path report() {
    return folder.resolve("report.html");
  }

  /// Returns the folder of the events for TensorBoard.
  public Path events() {
    return Recorder.events(folder);
  }

  MetricsFile metricsFile() {
    return MetricsFile.in(folder, recipe().measuredOn());
  }

  /// Reads all metrics, oldest first. A last line that was cut off when the run was killed is left
  /// out. Throws [BadFileException] for a damaged file.
  public List<Metrics> metrics() {
    return metricsFile().read();
  }

  /// Returns when and why the run stopped early; empty if it has not ended, or went to its last
  /// epoch.
  public Optional<EarlyStopping.Stop> earlyStop() {
    List<Metrics> all = metrics();
    List<Metrics.Epoch> epochs =
        all.stream()
            .filter(Metrics.Epoch.class::isInstance)
            .map(Metrics.Epoch.class::cast)
            .toList();
    boolean ended = !all.isEmpty() && all.stream().anyMatch(Metrics.Final.class::isInstance);
    return Optional.ofNullable(recipe().sampling().earlyStop().stop(epochs))
        .filter(stop -> ended && stop.epoch() < recipe().epochs());
  }

  /// Reads the predictions for the test images. The result is empty if the run has not ended, does
  /// not learn the classes of images, or is of a version that did not write the predictions. Throws
  /// [BadFileException] for a damaged file.
  public Optional<Answers> answers() {
    if (!Files.exists(answersFile())) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          AnswersFile.read(
              RegularFile.text(answersFile(), RunFile.MOST_BYTES), info.classes().size()));
    } catch (JacksonException | IllegalArgumentException e) {
      throw new BadFileException(
          answersFile(),
          "these are not the answers of a run, which can be reported without: delete the file (%s)"
              .formatted(RunFile.firstLine(e)),
          e);
    }
  }

  private Path answersFile() {
    return AnswersFile.in(folder);
  }
}
