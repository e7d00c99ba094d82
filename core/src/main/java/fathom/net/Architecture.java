package fathom.net;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import fathom.Layer;
import fathom.io.Spelling;
import fathom.nn.Init;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// A net before it is built: its name and its options. The only place that knows which there are.
///
/// Nets for images become a [Layer] that maps images to the logits of classes; nets for masks one
/// that maps them to the logits of every pixel; nets for text become a [LanguageModel]. The
/// recurrent ones exist for images and text: images are then read row by row.
public interface Architecture {
  /// What can be said of a net besides its name; null for the net's own choice.
  ///
  /// @param shortcut what residual blocks add
  /// @param norm the normalization
  /// @param width the channels of the first stage
  /// @param hidden the units of a recurrent layer, or the features of a hidden layer
  /// @param layers the recurrent layers one above the other, or the hidden layers; of a net for
  ///   masks, how many times it halves the image
  /// @param dropout the share of the values before the classifier, of `mlp` of each hidden layer's,
  ///   that a training step leaves out; null for none
  record Options(
      @Nullable Shortcut shortcut,
      @Nullable Norm norm,
      @Nullable Integer width,
      @Nullable Integer hidden,
      @Nullable Integer layers,
      @Nullable Double dropout) {
    public static final Options NONE = new Options(null, null, null, null, null);

    /// Multiples of it are still sizes; whether a net fits into memory shows when it is built.
    private static final int WIDEST = 1 << 20;

    /// Layers without any weights would fill the heap.
    private static final int MOST_LAYERS = 10_000;

    /// Without dropout.
    public Options(
        @Nullable Shortcut shortcut,
        @Nullable Norm norm,
        @Nullable Integer width,
        @Nullable Integer hidden,
        @Nullable Integer layers) {
      this(shortcut, norm, width, hidden, layers, null);
    }

    public Options {
      check("width", width, WIDEST);
      check("hidden", hidden, WIDEST);
      check("layers", layers, MOST_LAYERS);
      if (dropout != null && !(dropout >= 0 && dropout < 1)) {
        throw new IllegalArgumentException(
            "dropout leaves out a share of 0 or more and less than 1, but `dropout` is " + dropout);
      }
      dropout = dropout != null && dropout > 0 ? dropout : null;
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

    /// Reads what [#given()] has, as JSON or another text has it: each by its name. Throws
    /// `IllegalArgumentException` for a value that is none; names that are not known are left out,
    /// because a later version may have more.
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    public static Options of(Map<String, String> said) {
      return new Options(
          named(Shortcut.class, said.get("shortcut")),
          named(Norm.class, said.get("norm")),
          whole(said.get("width")),
          whole(said.get("hidden")),
          whole(said.get("layers")),
          said.get("dropout") == null ? null : Double.valueOf(said.get("dropout")));
    }

    private static <E extends Enum<E>> @Nullable E named(Class<E> type, @Nullable String name) {
      return name == null ? null : Enum.valueOf(type, name.toUpperCase(Locale.ROOT));
    }

    private static @Nullable Integer whole(@Nullable String text) {
      return text == null ? null : Integer.valueOf(text);
    }

    /// Those that are not null, by name.
    @JsonValue
    public SequencedMap<String, Object> given() {
      var given = new LinkedHashMap<String, Object>();
      put(given, "shortcut", shortcut);
      put(given, "norm", norm);
      put(given, "width", width);
      put(given, "hidden", hidden);
      put(given, "layers", layers);
      put(given, "dropout", dropout);
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

  /// As the user writes it.
  String name();

  /// All options that mean something here, with the values that they have.
  Options options();

  /// A net that reads images.
  interface OfImages extends Architecture {
    /// The images for which it is.
    ImageShape input();

    /// How many classes it tells apart.
    int classes();

    /// The same for other images and another number of classes.
    OfImages on(ImageShape input, int classes);

    /// The net, its parameters drawn by `init`, in the innermost scope.
    Layer build(Init init);
  }

  /// A net for images of one size, each of which is of one class.
  interface OfClasses extends OfImages {
    /// The side of the squares to which this net wants photos decoded; 0 if it is none for photos.
    default int photos() {
      return 0;
    }

    @Override
    OfClasses on(ImageShape input, int classes);
  }

  /// A net for images of any size, each pixel of which is of a class.
  interface OfMasks extends OfImages {
    /// Height and width of an image are multiples of it.
    int multiple();

    @Override
    OfMasks on(ImageShape input, int classes);
  }

  /// A residual net of convolutions, or its plain twin.
  interface Convolutional extends OfClasses {
    /// The net of this name. Throws `IllegalArgumentException` if there is none.
    static Convolutional named(String name) {
      return PhotoNet.names().contains(name.toLowerCase(Locale.ROOT))
          ? PhotoNet.named(name)
          : CifarNet.named(name);
    }

    /// The layers with weights on the way from the images to the classes.
    int depth();

    /// The blocks of all stages.
    int blocks();

    /// How many blocks to compute again at a time so that the net needs least memory
    /// ([fathom.nn.Recompute#every]). With segments of B of n blocks, of about four tensors each,
    /// n/B + 4·B tensors live at once, fewest for B = √n / 2.
    default int usualRecompute() {
      return Math.max(1, Math.toIntExact(Math.round(Math.sqrt(blocks()) / 2)));
    }

    Shortcut shortcut();

    Norm norm();

    int width();

    Convolutional withShortcut(Shortcut shortcut);

    Convolutional withNorm(Norm norm);

    Convolutional withWidth(int width);

    Convolutional withDropout(double dropout);

    @Override
    Convolutional on(ImageShape input, int classes);
  }

  /// A net that predicts the next character of a text.
  interface OfText extends Architecture {
    /// The same for a vocabulary of so many characters.
    OfText withVocabulary(int vocabulary);

    /// The same for windows of so many characters, which is how far back a net sees that carries no
    /// state.
    OfText withWindow(int window);

    /// The net, its parameters drawn by `init`, in the innermost scope.
    LanguageModel build(Init init);
  }

  List<String> RECURRENT = List.of("rnn", "ln-rnn", "lstm", "ln-lstm", "gru", "ln-gru");
  String PERCEPTRON = "mlp";
  String TRANSFORMER = "transformer";
  String MASKS = "masknet";
  String PLAIN_MASKS = "plain-masknet";
  Pattern CONVOLUTIONAL = Pattern.compile("(resnet|plain)\\d+");

  /// The names of the nets for images; of resnetN and plainN for N = 6n+2 the depths of the paper's
  /// table 6.
  static List<String> imagesNames() {
    var names = new ArrayList<String>();
    for (String family : List.of("resnet", "plain")) {
      CifarNet.paperDepths().forEach(depth -> names.add(family + depth));
    }
    names.addAll(PhotoNet.names());
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

  /// The net of this name for images. Throws `IllegalArgumentException` if there is none, or if an
  /// option means nothing to it.
  static OfClasses images(String name, Options options) {
    String plain = name.toLowerCase(Locale.ROOT);
    if (CONVOLUTIONAL.matcher(plain).matches()) {
      check(plain, options, "shortcut", "norm", "width", "dropout");
      return convolutional(Convolutional.named(plain), options);
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
    throw missing(name, "images", otherThan(imagesNames()), imagesNames());
  }

  /// The net of this name for text. Throws `IllegalArgumentException` if there is none, or if an
  /// option means nothing to it.
  static OfText text(String name, Options options) {
    String plain = name.toLowerCase(Locale.ROOT);
    if (textNames().contains(plain)) {
      check(plain, options, "hidden", "layers");
      CharacterNet net = CharacterNet.named(plain);
      net = options.hidden == null ? net : net.withHidden(options.hidden);
      return options.layers == null ? net : net.withLayers(options.layers);
    }
    throw missing(name, "text", otherThan(textNames()), textNames());
  }

  /// The net of this name for masks. Throws `IllegalArgumentException` if there is none, or if an
  /// option means nothing to it.
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
    throw missing(name, "masks", otherThan(masksNames()), masksNames());
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
        .withDropout(options.share());
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

  private static List<String> otherThan(List<String> these) {
    var others = new LinkedHashSet<>(imagesNames());
    others.addAll(textNames());
    others.addAll(masksNames());
    others.removeAll(these);
    return List.copyOf(others);
  }

  private static IllegalArgumentException missing(
      String name, String what, List<String> others, List<String> these) {
    String plain = name.toLowerCase(Locale.ROOT);
    String there =
        what.equals("images")
            ? "for images there are resnetN and plainN for N = 6n+2 (resnet20, plain56, ...), "
                + String.join(", ", PhotoNet.names())
                + ", "
                + PERCEPTRON
                + ", "
                + String.join(", ", RECURRENT)
            : "for %s there are %s".formatted(what, String.join(", ", these));
    if (others.contains(plain) || CONVOLUTIONAL.matcher(plain).matches()) {
      return new IllegalArgumentException(
          "%s learns %s, but the data is %s; %s".formatted(plain, learns(plain), what, there));
    }
    var all = new ArrayList<>(these);
    all.addAll(others);
    return new IllegalArgumentException(
        "there is no model \"%s\"%s; %s"
            .formatted(
                name,
                Spelling.nearest(name, all).map(": did you mean %s?"::formatted).orElse(""),
                there));
  }

  private static String learns(String plain) {
    return masksNames().contains(plain)
        ? "masks, which are given as masks:DIR"
        : plain.equals(TRANSFORMER) ? "text, which is given as text:FILE" : "images";
  }
}
