package fathom.net;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import fathom.Layer;
import fathom.nn.Init;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// The description of a net before it is built: its name and its options. Only this type knows
/// which nets there are.
///
/// A net for images builds a [Layer] that maps images to the logits of classes; a net for masks
/// builds one that maps them to the logits of every pixel; a net for text builds a [LanguageModel].
/// The recurrent nets exist for images and for text; an image is then read row by row.
public interface Architecture {
  /// The options of a net; null stands for the net's own default.
  ///
  /// @param shortcut what residual blocks add to their branch
  /// @param norm the normalization
  /// @param width the channels of the first stage
  /// @param hidden the units of a recurrent layer, or the features of a hidden layer
  /// @param layers the number of stacked recurrent layers, of transformer blocks or of hidden
  ///   layers; for a net for masks, how many times it halves the image
  /// @param dropout the probability with which a training step drops an activation before the
  ///   classifier, or, in `mlp`, of each hidden layer; null for none
  /// @param strideIn the side of the kernel that has a bottleneck's stride, 1 or 3; null for 3
  /// @param zeroInit whether each residual branch begins as zero; null for no
  record Options(
      @Nullable Shortcut shortcut,
      @Nullable Norm norm,
      @Nullable Integer width,
      @Nullable Integer hidden,
      @Nullable Integer layers,
      @Nullable Double dropout,
      @Nullable Integer strideIn,
      @Nullable Boolean zeroInit) {
    /// No options: the defaults of the net.
    public static final Options NONE = new Options(null, null, null, null, null);

    /// The largest width, of which multiples still fit into an `int`; whether the net fits into
    /// memory shows when it is built.
    private static final int WIDEST = 1 << 20;

    /// The most layers, because objects of more would fill the heap even without weights.
    private static final int MOST_LAYERS = 10_000;

    /// Makes options without dropout.
    public Options(
        @Nullable Shortcut shortcut,
        @Nullable Norm norm,
        @Nullable Integer width,
        @Nullable Integer hidden,
        @Nullable Integer layers) {
      this(shortcut, norm, width, hidden, layers, null);
    }

    /// Makes options without those of residual branches alone.
    public Options(
        @Nullable Shortcut shortcut,
        @Nullable Norm norm,
        @Nullable Integer width,
        @Nullable Integer hidden,
        @Nullable Integer layers,
        @Nullable Double dropout) {
      this(shortcut, norm, width, hidden, layers, dropout, null, null);
    }

    /// Throws `IllegalArgumentException` if a size is below 1 or above its limit, if dropout is
    /// outside [0, 1), or if the stride is neither in the 1×1 nor in the 3×3. What every net does
    /// without being asked, a dropout of 0, the stride in the 3×3 and branches that begin at
    /// random, becomes null, so that files of runs say it as they always have.
    public Options {
      check("width", width, WIDEST);
      check("hidden", hidden, WIDEST);
      check("layers", layers, MOST_LAYERS);
      if (dropout != null && !(dropout >= 0 && dropout < 1)) {
        throw new IllegalArgumentException(
            "dropout leaves out a share of 0 or more and less than 1, but `dropout` is " + dropout);
      }
      if (strideIn != null && strideIn != 1 && strideIn != 3) {
        throw new IllegalArgumentException(
            "the stride of a bottleneck is in its 1×1 (1, the paper) or its 3×3 (3, published weights), but `strideIn` is "
                + strideIn);
      }
      dropout = dropout != null && dropout > 0 ? dropout : null;
      strideIn = strideIn != null && strideIn == 1 ? strideIn : null;
      zeroInit = (zeroInit != null && zeroInit) ? zeroInit : null;
    }

    private static void check(String name, @Nullable Integer size, int most) {
      if (size != null && (size < 1 || size > most)) {
        throw new IllegalArgumentException(
            "`%s` is at least 1 and at most %s, but is %s".formatted(name, most, size));
      }
    }

    private double share() {
      return dropout == null ? 0 : dropout;
    }

    /// The options of a convolutional net that has no others.
    static Options of(Convolutional net, double dropout, int strideIn, boolean zeroInit) {
      return new Options(
          net.shortcut(), net.norm(), net.width(), null, null, dropout, strideIn, zeroInit);
    }

    /// Reads options in the form of [#given()], as JSON or other text has them, each under its
    /// name. Unknown names are ignored, because a later version may have more options. Throws
    /// `IllegalArgumentException` for a value that cannot be parsed.
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    public static Options of(Map<String, String> said) {
      return new Options(
          named(Shortcut.class, said.get("shortcut")),
          named(Norm.class, said.get("norm")),
          whole(said.get("width")),
          whole(said.get("hidden")),
          whole(said.get("layers")),
          said.get("dropout") == null ? null : Double.valueOf(said.get("dropout")),
          whole(said.get("strideIn")),
          said.get("zeroInit") == null ? null : Boolean.valueOf(said.get("zeroInit")));
    }

    private static <E extends Enum<E>> @Nullable E named(Class<E> type, @Nullable String name) {
      return name == null ? null : Enum.valueOf(type, name.toUpperCase(Locale.ROOT));
    }

    private static @Nullable Integer whole(@Nullable String text) {
      return text == null ? null : Integer.valueOf(text);
    }

    /// The options that are not null, by name.
    @JsonValue
    public SequencedMap<String, Object> given() {
      var given = new LinkedHashMap<String, Object>();
      put(given, "shortcut", shortcut);
      put(given, "norm", norm);
      put(given, "width", width);
      put(given, "hidden", hidden);
      put(given, "layers", layers);
      put(given, "dropout", dropout);
      put(given, "strideIn", strideIn);
      put(given, "zeroInit", zeroInit);
      return given;
    }

    private static void put(
        SequencedMap<String, Object> given, String name, @Nullable Object value) {
      if (value != null) {
        given.put(name, value);
      }
    }

    /// For example `shortcut A, norm batch, width 16`.
    @Override
    public String toString() {
      return given().entrySet().stream()
          .map(e ->
              e.getKey()
                  + " "
                  + (e.getValue() instanceof Norm
                      ? e.getValue().toString().toLowerCase(Locale.ROOT)
                      : e.getValue()))
          .collect(Collectors.joining(", "));
    }
  }

  /// The name of the net, as the user writes it, such as `resnet20`.
  String name();

  /// All options that apply to this net, with their values.
  Options options();

  /// A net that reads images.
  interface OfImages extends Architecture {
    /// The shape of the images that the net is built for.
    ImageShape input();

    /// The number of classes.
    int classes();

    /// Returns this net for other images and another number of classes.
    OfImages on(ImageShape input, int classes);

    /// Builds the net in the innermost scope, with initial weights from `init`.
    Layer build(Init init);
  }

  /// A net for images of one size, each of which belongs to one class.
  interface OfClasses extends OfImages {
    /// The side in pixels of the squares to which photos are decoded for this net; 0 if it is not
    /// made for photos.
    default int photos() {
      return 0;
    }

    @Override
    OfClasses on(ImageShape input, int classes);
  }

  /// A net for images of any size, each pixel of which belongs to a class.
  interface OfMasks extends OfImages {
    /// The number of which height and width of an image must be multiples.
    int multiple();

    @Override
    OfMasks on(ImageShape input, int classes);
  }

  /// A convolutional residual net, or its plain twin.
  interface Convolutional extends OfClasses {
    /// Returns the net of this name. Throws `IllegalArgumentException` if there is none.
    static Convolutional named(String name) {
      String plain = name.toLowerCase(Locale.ROOT);
      if (PhotoNet.names().contains(plain)) {
        return PhotoNet.named(plain);
      }
      if (plain.startsWith("resnetv") || PreActivationPhotoNet.names().contains(plain)) {
        return PreActivationPhotoNet.named(plain);
      }
      return plain.startsWith("pre") ? PreActivationCifarNet.named(plain) : CifarNet.named(name);
    }

    /// The number of layers with weights on the path from the images to the classes.
    int depth();

    /// The number of blocks of all stages together.
    int blocks();

    /// The paths of the stages, each a chain of blocks whose output is smaller than the one before:
    /// of a net for photos the maps C2 to C5 of a feature pyramid ([FeatureMaps]).
    List<String> stages();

    /// The number of blocks per recomputed segment that needs the least memory
    /// ([fathom.nn.Recompute#every]). With segments of B of n blocks and about four tensors for
    /// each block, n/B + 4·B tensors live at once, which is smallest for B = √n / 2.
    default int usualRecompute() {
      return Math.max(1, Math.toIntExact(Math.round(Math.sqrt(blocks()) / 2)));
    }

    /// What residual blocks add to their branch.
    Shortcut shortcut();

    /// The normalization.
    Norm norm();

    /// The channels of the first stage.
    int width();

    /// Returns this net with another shortcut.
    Convolutional withShortcut(Shortcut shortcut);

    /// Returns this net with another normalization.
    Convolutional withNorm(Norm norm);

    /// Returns this net with another number of channels in the first stage.
    Convolutional withWidth(int width);

    /// Returns this net with dropout before its classifier, with this probability.
    Convolutional withDropout(double dropout);

    /// Returns this net with residual branches that begin as zero, or at random. Where a norm ends
    /// a branch, its gains begin with zeros (Goyal et al. 2017, section 5.1); elsewhere the last
    /// convolution does. Throws `IllegalArgumentException` if the net has no branches or their ends
    /// have no gains.
    Convolutional withZeroInit(boolean zeroInit);

    @Override
    Convolutional on(ImageShape input, int classes);
  }

  /// A net that predicts the next character of a text.
  interface OfText extends Architecture {
    /// Returns this net for a vocabulary of this many characters.
    OfText withVocabulary(int vocabulary);

    /// Returns this net for windows of this many characters. A net without a state cannot see
    /// farther back than its window.
    OfText withWindow(int window);

    /// Builds the net in the innermost scope, with initial weights from `init`.
    LanguageModel build(Init init);
  }

  /// The names of the recurrent nets, which exist for images and for text.
  List<String> RECURRENT = List.of("rnn", "ln-rnn", "lstm", "ln-lstm", "gru", "ln-gru");

  /// The name of the multilayer perceptron.
  String PERCEPTRON = "mlp";

  /// The name of the transformer for text.
  String TRANSFORMER = "transformer";

  /// The name of the net for masks.
  String MASKS = "masknet";

  /// The name of the net for masks without shortcuts.
  String PLAIN_MASKS = "plain-masknet";

  /// The form of the names of convolutional nets.
  Pattern CONVOLUTIONAL =
      Pattern.compile("(resnet|plain|preresnet)\\d+|resnet\\d+d|resnetv2_\\d+x\\d+");

  /// The names of the nets for images. For resnetN and plainN with N = 6n+2 the list has the depths
  /// of the residual paper's table 6; other such depths exist as well.
  static List<String> imagesNames() {
    var names = new ArrayList<String>();
    for (String family : List.of("resnet", "plain")) {
      CifarNet.paperDepths().forEach(depth -> names.add(family + depth));
    }
    PreActivationCifarNet.paperDepths().forEach(depth -> names.add("preresnet" + depth));
    names.addAll(PhotoNet.names());
    names.addAll(PreActivationPhotoNet.listed());
    names.add(PERCEPTRON);
    names.addAll(RECURRENT);
    return names;
  }

  /// The names of the nets for text.
  static List<String> textNames() {
    var names = new ArrayList<>(RECURRENT);
    names.add(TRANSFORMER);
    return names;
  }

  /// The names of the nets for masks.
  static List<String> masksNames() {
    return List.of(MASKS, PLAIN_MASKS);
  }

  /// Returns the net of this name for images. Throws `IllegalArgumentException` if there is none or
  /// an option does not apply to it.
  static OfClasses images(String name, Options options) {
    String plain = name.toLowerCase(Locale.ROOT);
    if (CONVOLUTIONAL.matcher(plain).matches()) {
      Convolutional net = Convolutional.named(plain);
      if (net instanceof PhotoNet photos && photos.isBottleneck()) {
        check(plain, options, "shortcut", "norm", "width", "dropout", "strideIn", "zeroInit");
        return convolutional(
            options.strideIn == null ? photos : photos.withStrideIn(options.strideIn), options);
      }
      check(plain, options, "shortcut", "norm", "width", "dropout", "zeroInit");
      return convolutional(net, options);
    }
    if (plain.equals(PERCEPTRON)) {
      check(plain, options, "norm", "hidden", "layers", "dropout");
      Mlp net = Mlp.named(plain);
      int hidden = options.hidden == null ? net.hidden().getFirst() : options.hidden;
      int layers = options.layers == null ? net.hidden().size() : options.layers;
      return net.withHidden(Collections.nCopies(layers, hidden))
          .withNorm(options.norm == null ? net.norm() : options.norm)
          .withDropout(options.share());
    }
    if (RECURRENT.contains(plain)) {
      check(plain, options, "hidden", "layers", "dropout");
      RowNet net = RowNet.named(plain).withDropout(options.share());
      net = options.hidden == null ? net : net.withHidden(options.hidden);
      return options.layers == null ? net : net.withLayers(options.layers);
    }
    throw MissingNet.of(name, "images", imagesNames());
  }

  /// Returns the net of this name for text. Throws `IllegalArgumentException` if there is none or
  /// an option does not apply to it.
  static OfText text(String name, Options options) {
    String plain = name.toLowerCase(Locale.ROOT);
    if (textNames().contains(plain)) {
      check(plain, options, "hidden", "layers");
      CharacterNet net = CharacterNet.named(plain);
      net = options.hidden == null ? net : net.withHidden(options.hidden);
      return options.layers == null ? net : net.withLayers(options.layers);
    }
    throw MissingNet.of(name, "text", textNames());
  }

  /// Returns the net of this name for masks. Throws `IllegalArgumentException` if there is none or
  /// an option does not apply to it.
  static OfMasks masks(String name, Options options) {
    String plain = name.toLowerCase(Locale.ROOT);
    if (masksNames().contains(plain)) {
      check(plain, options, "norm", "width", "layers");
      MaskNet net = MaskNet.of(3, 2);
      net = plain.equals(PLAIN_MASKS) ? net.plain() : net;
      net = options.norm == null ? net : net.withNorm(options.norm);
      net = options.width == null ? net : net.withWidth(options.width);
      return options.layers == null ? net : net.withLevels(options.layers);
    }
    throw MissingNet.of(name, "masks", masksNames());
  }

  private static Convolutional convolutional(Convolutional net, Options options) {
    Shortcut shortcut = options.shortcut == null ? net.shortcut() : options.shortcut;
    if (net.shortcut() == Shortcut.NONE && shortcut != Shortcut.NONE) {
      throw new IllegalArgumentException(
          "%s has no shortcuts, but `shortcut` %s was given; the resnetN have"
              .formatted(net.name(), shortcut));
    }
    return net.withShortcut(shortcut)
        .withNorm(options.norm == null ? net.norm() : options.norm)
        .withWidth(options.width == null ? net.width() : options.width)
        .withDropout(options.share())
        .withZeroInit(options.zeroInit != null);
  }

  private static void check(String name, Options options, String... understood) {
    for (String given : options.given().keySet()) {
      if (!List.of(understood).contains(given)) {
        throw new IllegalArgumentException(
            "`%s` means nothing to %s, which has %s"
                .formatted(given, name, understood(understood)));
      }
    }
  }

  private static String understood(String... options) {
    return Arrays.stream(options).map("`%s`"::formatted).collect(Collectors.joining(", "));
  }
}
