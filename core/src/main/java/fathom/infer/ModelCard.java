package fathom.infer;

import fathom.DType;
import fathom.data.CentreCrop;
import fathom.data.Filter;
import fathom.data.Normalization;
import fathom.data.Photos;
import fathom.io.BadFileException;
import fathom.io.Json;
import fathom.io.StoredTensor;
import fathom.io.TensorFile;
import fathom.net.Architecture;
import fathom.net.ImageShape;
import fathom.task.ImageClassification;
import fathom.train.Machine;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

/// The description of a net that a file of weights carries, so that the net can be used without the
/// run that it comes from. It is stored as texts in the metadata of a checkpoint, of an exported
/// safetensors file and of an ONNX model. Everything that a file from elsewhere does not state is
/// null.
///
/// @param model the name of the net
/// @param options the options of the net that are known
/// @param input the shape of the images that the net takes; for a net for masks, only its channels
///   count; null for a net that reads text
/// @param photos whether tests see the centre of a photo, seven eighths of its shorter side;
///   otherwise they see the largest centred part of the net's proportions
/// @param classes the names of the classes in the order of the net's outputs; for a text, its
///   characters
/// @param normalization the normalization of every value of an image
/// @param crop how tests see a photo instead, for weights from elsewhere; null for the usual
/// @param window the most characters that a net for text without a state sees at a time; null for
///   other nets
public record ModelCard(
    @Nullable String model,
    Architecture.Options options,
    @Nullable ImageShape input,
    @Nullable Boolean photos,
    @Nullable CentreCrop crop,
    @Nullable List<String> classes,
    @Nullable Normalization normalization,
    @Nullable Integer window) {
  private static final String SOURCE = "fathom.source";
  private static final String MODEL = "fathom.model";
  private static final String OPTIONS = "fathom.options";
  private static final String INPUT = "fathom.input";
  private static final String PHOTOS = "fathom.photographs";
  private static final String RESIZE = "fathom.resize";
  private static final String CLASSES = "fathom.classes";
  private static final String WINDOW = "fathom.window";
  private static final String MEAN = "fathom.mean";
  private static final String STANDARD_DEVIATION = "fathom.std";

  /// The key of a description for people and other programs, which follows from the other entries
  /// and is not read here.
  private static final String PREPROCESSING = "fathom.preprocessing";

  private static final Set<String> OPTION_NAMES =
      Set.of("shortcut", "norm", "width", "hidden", "layers", "dropout", "strideIn", "zeroInit");

  private static final Pattern SIZE =
      Pattern.compile("([1-9]\\d{0,6})x([1-9]\\d{0,6})x([1-9]\\d{0,6})");

  private static final Pattern CROP = Pattern.compile("([1-9]\\d{0,4}) (bilinear|bicubic)");

  private static final Pattern WHOLE = Pattern.compile("[1-9]\\d{0,8}");

  /// Makes a card without a crop of its own.
  public ModelCard(
      @Nullable String model,
      Architecture.Options options,
      @Nullable ImageShape input,
      @Nullable Boolean photos,
      @Nullable List<String> classes,
      @Nullable Normalization normalization,
      @Nullable Integer window) {
    this(model, options, input, photos, null, classes, normalization, window);
  }

  /// Returns this card with another crop.
  public ModelCard croppedBy(@Nullable CentreCrop crop) {
    return new ModelCard(model, options, input, photos, crop, classes, normalization, window);
  }

  /// Makes the card of an image classifier.
  public static ModelCard ofImages(
      String model,
      Architecture.Options options,
      @Nullable ImageShape input,
      @Nullable Boolean photos,
      @Nullable List<String> classes,
      Normalization normalization) {
    return new ModelCard(model, options, input, photos, classes, normalization, null);
  }

  /// Returns whether the card describes a net that reads text.
  public boolean isText() {
    return model != null
        && input == null
        && Architecture.textNames().contains(model.toLowerCase(Locale.ROOT));
  }

  /// Returns whether the card describes a net that predicts a class for every pixel.
  public boolean isMasks() {
    return model != null && Architecture.masksNames().contains(model.toLowerCase(Locale.ROOT));
  }

  /// Returns the net for masks of this card. Throws `IllegalArgumentException` if the card
  /// describes another kind of net or lacks necessary information.
  public Architecture.OfMasks masks() {
    if (model == null || input == null || classes == null || normalization == null) {
      throw new IllegalArgumentException(
          "a net for masks has a name, channels, classes and a normalization, but the card has the model %s, the input %s, %s and the normalization %s"
              .formatted(
                  model,
                  input,
                  classes == null ? "no classes" : classes.size() + " classes",
                  normalization));
    }
    if (!isMasks()) {
      throw new IllegalArgumentException(
          "a net for masks gives every pixel a class, but %s learned %s"
              .formatted(model, isText() ? "text" : "the classes of images"));
    }
    int channels = input.channels();
    if (normalization.mean().length != channels
        || normalization.standardDeviation().length != channels) {
      throw new IllegalArgumentException(
          "images of any size are normalised by a number for each of their channels, which are %s, but there are %s and %s"
              .formatted(
                  channels, normalization.mean().length, normalization.standardDeviation().length));
    }
    if (classes.size() > Byte.MAX_VALUE + 1) {
      throw new IllegalArgumentException(
          "masks have at most %s classes, but the card has %s"
              .formatted(Byte.MAX_VALUE + 1, classes.size()));
    }
    return Architecture.masks(model, options).on(input, classes.size());
  }

  /// Returns this card with all that an image classifier needs to know. What it does not state
  /// about images gets the values for which the net was designed, and classes without names are
  /// numbers. Throws `IllegalArgumentException` if the net or the normalization is missing, if the
  /// card describes a net for text or masks, or if its net or options are unknown.
  public ModelCard completed() {
    if (isText()) {
      throw new IllegalArgumentException(
          "the weights are of %s, which was trained on text; a TextGenerator writes some"
              .formatted(model));
    }
    if (isMasks()) {
      throw new IllegalArgumentException(
          "the weights are of %s, which learned masks; a MaskPredictor predicts some"
              .formatted(model));
    }
    if (model == null || normalization == null) {
      throw new IllegalArgumentException(
          "a classifier needs to know which net it has and what its images are normalised by, but the card has the model %s and the normalization %s"
              .formatted(model, normalization));
    }
    Architecture.OfClasses standard = Architecture.images(model, options);
    ImageShape size = input == null ? standard.input() : input;
    List<String> names =
        classes != null
            ? classes
            : IntStream.range(0, standard.classes()).mapToObj(Integer::toString).toList();
    boolean asPhotos = photos != null ? photos : standard.photos() == size.height();
    return new ModelCard(
        standard.name(),
        options,
        size,
        asPhotos && size.height() == size.width(),
        asPhotos ? crop : null,
        names,
        normalization,
        null);
  }

  /// Returns the net of a [#completed()] card.
  Architecture.OfClasses images() {
    return Architecture.images(Objects.requireNonNull(model), options)
        .on(Objects.requireNonNull(input), Objects.requireNonNull(classes).size());
  }

  /// Returns the net for text of this card, whose classes are the characters. Throws
  /// `IllegalArgumentException` if the card describes another kind of net or lacks necessary
  /// information.
  public Architecture.OfText text() {
    String name = model;
    List<String> characters = classes;
    if (name == null || characters == null) {
      throw new IllegalArgumentException(
          "a net for text has a name and characters, but the card has the model %s and %s"
              .formatted(name, characters == null ? "no classes" : characters.size() + " classes"));
    }
    if (!isText()) {
      throw new IllegalArgumentException(
          "a net for text writes text, but %s learned %s"
              .formatted(name, isMasks() ? "masks" : "images"));
    }
    Architecture.OfText net = Architecture.text(name, options).withVocabulary(characters.size());
    if (window != null) {
      return net.withWindow(window);
    }
    if (name.equals(Architecture.TRANSFORMER)) {
      throw new IllegalArgumentException(
          "a transformer sees a window of the text, and nothing says how long it is"
              + " (fathom.window); open its run by Run.open, or export it from there");
    }
    return net; // no window: its state carries the past
  }

  /// Reads the card from a file of weights; of a folder of published weights it is what
  /// [PublishedConfig] says. The normalization of a checkpoint is taken from its tensors unless its
  /// metadata state one. Throws [BadFileException] for a file that cannot be read, and for an entry
  /// that does not have the expected form.
  public static ModelCard of(Path file) {
    if (Files.isDirectory(file)) {
      return PublishedConfig.in(file).card();
    }
    try (var stored = TensorFile.open(file)) {
      return of(file, stored);
    }
  }

  /// Does the same as [#of(Path)] with a file that is open.
  static ModelCard of(Path file, TensorFile stored) {
    if (Files.isDirectory(file)) {
      return PublishedConfig.in(file).card();
    }
    try {
      Map<String, String> said = stored.metadata();
      return new ModelCard(
          said.get(MODEL),
          options(file, said.get(OPTIONS)),
          input(file, said.get(INPUT)),
          said.containsKey(PHOTOS) ? Boolean.valueOf(said.get(PHOTOS)) : null,
          crop(file, said.get(RESIZE)),
          classes(file, said.get(CLASSES)),
          said.containsKey(MEAN) && said.containsKey(STANDARD_DEVIATION)
              ? normalization(file, said)
              : stored.names().contains(ImageClassification.MEAN) ? normalization(stored) : null,
          window(file, said.get(WINDOW)));
    } catch (IllegalArgumentException e) {
      throw bad(
          file, "the numbers that images are normalised by", String.valueOf(e.getMessage()), e);
    }
  }

  /// Reads the normalization of a run's images from the tensors of its checkpoint or of weights
  /// exported from it. Throws [BadFileException] if the file cannot be read or has no such tensors.
  public static Normalization normalization(Path file) {
    try (var stored = TensorFile.open(file)) {
      return normalization(stored);
    }
  }

  private static Normalization normalization(TensorFile stored) {
    return new Normalization(
        floats(stored, ImageClassification.MEAN),
        floats(stored, ImageClassification.STANDARD_DEVIATION));
  }

  private static float[] floats(TensorFile stored, String name) {
    try (Arena arena = Arena.ofConfined()) {
      StoredTensor tensor = stored.widened(name, arena);
      if (tensor.type() != DType.FLOAT32) {
        throw new IllegalArgumentException(
            "%s is %s, but must be FLOAT32".formatted(name, tensor.type()));
      }
      return tensor.bytes().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
    }
  }

  private static Normalization normalization(Path file, Map<String, String> said) {
    try {
      return Normalization.of(
          numbers(said.getOrDefault(MEAN, "")), numbers(said.getOrDefault(STANDARD_DEVIATION, "")));
    } catch (IllegalArgumentException e) {
      throw bad(file, "its fathom.mean and fathom.std", "no numbers", e);
    }
  }

  private static float[] numbers(String text) {
    String[] parts = text.split(",", -1);
    float[] numbers = new float[parts.length];
    for (int i = 0; i < parts.length; i++) {
      numbers[i] = Float.parseFloat(parts[i]);
    }
    return numbers;
  }

  private static @Nullable ImageShape input(Path file, @Nullable String text) {
    if (text == null) {
      return null;
    }
    var size = SIZE.matcher(text);
    if (!size.matches()) {
      throw bad(file, "its fathom.input", "no size such as 3x32x32", null);
    }
    return new ImageShape(
        Integer.parseInt(size.group(1)),
        Integer.parseInt(size.group(2)),
        Integer.parseInt(size.group(3)));
  }

  private static @Nullable CentreCrop crop(Path file, @Nullable String text) {
    if (text == null) {
      return null;
    }
    var crop = CROP.matcher(text);
    if (!crop.matches()) {
      throw bad(file, "its fathom.resize", "no side and filter such as 303 bicubic", null);
    }
    return new CentreCrop(
        Integer.parseInt(crop.group(1)), Filter.valueOf(crop.group(2).toUpperCase(Locale.ROOT)));
  }

  private static @Nullable Integer window(Path file, @Nullable String text) {
    if (text == null) {
      return null;
    }
    if (!WHOLE.matcher(text).matches()) {
      throw bad(file, "its fathom.window", "no number of characters", null);
    }
    return Integer.valueOf(text);
  }

  private static @Nullable List<String> classes(Path file, @Nullable String text) {
    try {
      return text == null ? null : List.of(Json.strings(text));
    } catch (JacksonException | NullPointerException e) { // the list may hold nulls
      throw bad(file, "its fathom.classes", "no list of names", e);
    }
  }

  /// Parses the options as [Architecture.Options#toString] writes them.
  private static Architecture.Options options(Path file, @Nullable String text) {
    var values = new LinkedHashMap<String, String>();
    for (String each :
        text == null || text.isBlank() ? List.<String>of() : List.of(text.split(", ", -1))) {
      int blank = each.indexOf(' ');
      values.put(blank < 0 ? each : each.substring(0, blank), each.substring(blank + 1));
    }
    if (!OPTION_NAMES.containsAll(values.keySet())) { // an unknown one must not be ignored
      throw bad(file, "its fathom.options", "no options of a net that this version knows", null);
    }
    try {
      return Architecture.Options.of(values);
    } catch (IllegalArgumentException e) {
      throw bad(file, "its fathom.options", "no options of a net", e);
    }
  }

  private static BadFileException bad(
      Path file, String what, String found, @Nullable Exception cause) {
    return new BadFileException(
        file, "%s: %s; export the file again, from its run".formatted(what, found), cause);
  }

  /// Returns the metadata entries of all that is known, for a file of weights to be written.
  public SequencedMap<String, String> metadata() {
    return metadata(false);
  }

  /// Returns the entries of a model that takes the bytes of an image and has the normalization
  /// inside.
  public SequencedMap<String, String> metadataOfBytes() {
    return metadata(true);
  }

  private SequencedMap<String, String> metadata(boolean bytes) {
    var said = new LinkedHashMap<String, String>();
    said.put(SOURCE, Machine.here().source());
    if (model != null) {
      said.put(MODEL, model);
      said.put(OPTIONS, options.toString());
    }
    if (input != null) {
      said.put(INPUT, input.toString().replace('×', 'x'));
    }
    if (photos != null && !isMasks()) {
      said.put(PHOTOS, photos.toString());
    }
    if (crop != null) {
      said.put(RESIZE, crop.shorter() + " " + name(crop.filter()));
    }
    if (classes != null) {
      said.put(CLASSES, Json.text(classes));
    }
    if (normalization != null) {
      said.put(MEAN, numbers(normalization.mean()));
      said.put(STANDARD_DEVIATION, numbers(normalization.standardDeviation()));
    }
    if (window != null) {
      said.put(WINDOW, window.toString());
    }
    if (input != null && (photos != null || isMasks())) {
      said.put(PREPROCESSING, Json.text(preprocessing(input, bytes)));
    }
    return said;
  }

  private static String name(Filter filter) {
    return filter.name().toLowerCase(Locale.ROOT);
  }

  private static String numbers(float[] values) {
    return IntStream.range(0, values.length)
        .mapToObj(i -> Float.toString(values[i]))
        .collect(Collectors.joining(","));
  }

  /// Returns the steps in the order in which they are done; `docs/preprocessing.md` has the
  /// formulas.
  private SequencedMap<String, Object> preprocessing(ImageShape input, boolean bytes) {
    var steps = new LinkedHashMap<String, Object>();
    steps.put("orientation", "as the file's EXIF says");
    steps.put("colour", input.channels() == 1 ? "grey" : "RGB");
    if (model != null && isMasks()) {
      steps.put("repeatEdgeToMultipleOf", Architecture.masks(model, options).multiple());
    } else {
      if (Boolean.TRUE.equals(photos)) {
        steps.put(
            "resizeShorterSide",
            crop == null ? Photos.shorterSide(input.height()) : crop.shorter());
        steps.put("centreCrop", List.of(input.height(), input.width()));
      } else {
        steps.put("centreCropToProportions", List.of(input.height(), input.width()));
        steps.put("resize", List.of(input.height(), input.width()));
      }
      steps.put(
          "filter",
          crop == null || crop.filter() == Filter.BILINEAR
              ? "bilinear with antialiasing (triangle), rounded to bytes"
              : "bicubic (a = -0.5) with antialiasing, rounded to bytes");
    }
    if (bytes) {
      steps.put("layout", "N x H x W x C, bytes; the model normalises them");
    } else {
      steps.put("normalization", "(x / 255 - mean) / std");
      steps.put("layout", "N x C x H x W, float32");
    }
    return steps;
  }
}
