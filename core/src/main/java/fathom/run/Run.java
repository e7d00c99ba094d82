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

/// The folder of a run: `run.json` (what was trained, where and by what), `metrics.jsonl` (a line
/// for each thing measured), `checkpoint.safetensors` (weights, optimizer and position, replaced
/// whole), `best.safetensors` (the weights of the best epoch so far), `answers.json` (what became
/// of the test images at the end), `images.tsv` (which files were for training, validation and
/// testing) and `report.html`.
public final class Run {
  /// What `run.json` says.
  ///
  /// @param source the version of Fathom, and the commit where it is known
  /// @param classes the names of the classes, in the order of the net's outputs; of a text, its
  ///   vocabulary
  /// @param input channels, height and width of an image; empty for text
  public record Info(
      int format,
      String source,
      String started,
      Recipe recipe,
      List<String> classes,
      List<Integer> input,
      RunData data,
      Machine machine) {
    public Info {
      classes = List.copyOf(classes);
      input = List.copyOf(input);
      recipe.kind().check(classes, input);
    }
  }

  private final Path folder;
  private final Info info;

  private Run(Path folder, Info info) {
    this.folder = folder;
    this.info = info;
  }

  /// Starts a run in `folder`, which is made if need be. Throws [BadFileException] if it has a run
  /// already or cannot be written, and [fathom.DeviceException] if the training certainly does not
  /// fit into the memory that there is.
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

  /// As it was opened.
  private static ImageReadOptions.Split split(Data data) {
    Origin origin = data instanceof DataSet images ? images.origin() : null;
    return origin != null && origin.hasFiles()
        ? origin.split()
        : ImageReadOptions.Split.ALL_BY_NAME;
  }

  /// A run of which nothing is written: for its nets.
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
        known,
        machine);
  }

  /// Whether `folder` holds a run.
  public static boolean isIn(Path folder) {
    return Files.isRegularFile(folder.resolve(RunFile.NAME));
  }

  /// Throws [BadFileException] if the folder has no run, or one that cannot be read.
  public static Run open(Path folder) {
    if (!isIn(folder)) {
      throw new BadFileException(folder, "there is no run in this folder (no run.json)");
    }
    return new Run(folder, RunFile.read(folder.resolve(RunFile.NAME)));
  }

  /// The same run by another recipe from now on. Throws [fathom.train.BusyRunException] while it is
  /// trained.
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
            data,
            info.machine);
    RunFile.write(folder.resolve(RunFile.NAME), changed);
    return new Run(folder, changed);
  }

  /// The same run by this recipe and with this data from now on, which have been checked and are
  /// written down where they are new.
  ///
  /// Throws `IllegalArgumentException` for a recipe that ends before the run stands or for which
  /// the data does not suffice, [BadFileException] for data with other classes, or with other
  /// images or characters unless they are meant to have `changed`, and
  /// [fathom.train.BusyRunException] while the run is trained. Then nothing has been written.
  public Run goOn(Recipe recipe, Data data, boolean changed) {
    return Resumption.of(this, recipe, data, changed);
  }

  /// Under the lock of the run.
  Run goingOn(Recipe recipe, RunData known, Data data) {
    if (recipe.equals(info.recipe) && known.equals(info.data)) {
      return this;
    }
    if (!known.identity().equals(info.data.identity())) {
      writeImages(folder, recipe, data);
    }
    return written(recipe, known);
  }

  public Info info() {
    return info;
  }

  public Recipe recipe() {
    return info.recipe();
  }

  /// The net for images that this run trains, its parameters drawn by `init`, in the innermost
  /// scope. Throws `IllegalStateException` if it trains another.
  public Layer imageNet(Init init) {
    if (recipe().architecture() instanceof Architecture.OfImages net) {
      return net.on(input(), info.classes().size()).build(init);
    }
    throw new IllegalStateException("the run has no net for images: " + folder);
  }

  /// The net for text that this run trains. Throws `IllegalStateException` if it trains one for
  /// images.
  public LanguageModel textNet(Init init) {
    if (recipe().architecture() instanceof Architecture.OfText net) {
      return net.withVocabulary(info.classes().size()).withWindow(recipe().window()).build(init);
    }
    throw new IllegalStateException("the run is about images, not text: " + folder);
  }

  /// The size of the images.
  public ImageShape input() {
    List<Integer> size = info.input();
    return new ImageShape(size.get(0), size.get(1), size.get(2));
  }

  /// The characters of the text.
  public Vocabulary vocabulary() {
    return new Vocabulary(info.classes());
  }

  /// Reads data for the net of this run: `spec` as in [Data#open], the images of a folder in the
  /// size of the run and divided as it was, otherwise as `how` says. Throws
  /// `IllegalArgumentException` for images where text was learned and the other way round, and
  /// [BadFileException] for a text with characters that this run does not know.
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

  /// The same to be tested with alone: images for training stay closed.
  public Data openForTests(String spec, ImageReadOptions how) {
    checkKind(spec);
    return recipe().kind().openForTests(this, spec, how);
  }

  /// Reads the data of this run, which is found from any folder: as the user named it, at the place
  /// where it was, or as it lies from the run. Where there is some at several places, it is the one
  /// that this run was trained on, or else the first. Throws what [#open(String, ImageReadOptions)]
  /// throws for the first name if there is nothing at any.
  public Data open(ImageReadOptions how) {
    return found(UnaryOperator.identity(), name -> open(name, how));
  }

  /// The same to be tested with alone, without what the run was trained with; see [ImageList].
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

  /// What this run does to images before its net sees them. Throws [BadFileException] if there is
  /// no checkpoint yet.
  public Normalization normalization() {
    return ModelCard.normalization(checkpoint());
  }

  /// What a file of the weights of this run says of its net, whose images are normalised in this
  /// way; null where that is not to be said, or for text.
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

  /// The net that this run has trained so far, by its last checkpoint. Throws [BadFileException] if
  /// there is none yet, and `IllegalArgumentException` if the run is not about the classes of
  /// images.
  public ImageClassifier classifier() {
    return classifier(checkpoint(), Precision.FP32);
  }

  /// The same by the weights of the best epoch.
  public ImageClassifier bestClassifier() {
    return classifier(best(), Precision.FP32);
  }

  /// The same by these weights of the run, [#checkpoint()] or [#best()], with the values between
  /// the layers in this precision.
  public ImageClassifier classifier(Path weights, Precision precision) {
    return ImageClassifier.of(cardOf(weights), weights, precision);
  }

  /// What this run about text has learned so far to write, by its last checkpoint. Throws
  /// [BadFileException] if there is none yet, and `IllegalArgumentException` if the run is about
  /// images.
  public TextGenerator generator() {
    return generator(checkpoint());
  }

  /// The same by the weights of the best epoch.
  public TextGenerator bestGenerator() {
    return generator(best());
  }

  /// The same by these weights of the run, [#checkpoint()] or [#best()].
  public TextGenerator generator(Path weights) {
    return TextGenerator.of(cardOf(weights), weights);
  }

  /// What this run about masks has learned so far to predict, by its last checkpoint. Throws
  /// [BadFileException] if there is none yet, and `IllegalArgumentException` if the run is not
  /// about masks.
  public MaskPredictor maskPredictor() {
    return maskPredictor(checkpoint(), Precision.FP32);
  }

  /// The same by the weights of the best epoch.
  public MaskPredictor bestMaskPredictor() {
    return maskPredictor(best(), Precision.FP32);
  }

  /// The same by these weights of the run, [#checkpoint()] or [#best()], with the activations
  /// between the layers in this precision.
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

  public Path folder() {
    return folder;
  }

  public Path checkpoint() {
    return Recorder.checkpoint(folder);
  }

  /// The weights, buffers and normalization of the epoch that was best by what is held out: for
  /// images the fewest errors, for text the least cross-entropy. No training goes on from it.
  /// Without [Recipe#validation()] those are the test images.
  public Path best() {
    return Recorder.best(folder);
  }

  /// Which files were for training, validation and testing; see [ImageList].
  Path images() {
    return folder.resolve(ImageList.NAME);
  }

  /// What `run.json` says of a decision under this name, such as `batch` or `learningRate`, as
  /// JSON; empty if the recipe has no such entry.
  public Optional<String> decided(String name) {
    return Optional.ofNullable(Json.object(recipe()).findValue(name))
        .map(node -> node.isValueNode() ? node.asString() : node.toString());
  }

  public Path report() {
    return folder.resolve("report.html");
  }

  /// Where the events for TensorBoard are.
  public Path events() {
    return Recorder.events(folder);
  }

  MetricsFile metricsFile() {
    return MetricsFile.in(folder, recipe().measuredOn());
  }

  /// All that was measured, oldest first. A last line that was cut off when the run was killed is
  /// left out.
  public List<Metrics> metrics() {
    return metricsFile().read();
  }

  /// What became of the test images; empty if the run has not ended, learned text, or is of a
  /// version that did not write it down. Throws [BadFileException] for a damaged file.
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
