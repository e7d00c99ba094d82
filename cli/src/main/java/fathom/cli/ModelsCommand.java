package fathom.cli;

import fathom.Param;
import fathom.Scope;
import fathom.Shape;
import fathom.net.Architecture;
import fathom.net.ImageShape;
import fathom.net.LanguageModel;
import fathom.net.Norm;
import fathom.net.Shortcut;
import fathom.net.Summary;
import fathom.nn.Init;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "models",
    description = {
      "Lists every model, or shows one as a tree.",
      "Of a net for images the tree has the shapes of one image, of a net for text its"
          + " parameters."
    },
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  fathom models",
      "  fathom models plain56 --input 1x8x8 --width 8",
      "  fathom models resnet50",
      "  fathom models ln-lstm --hidden 512",
      "",
      "resnetN, plainN and preresnetN exist for every N = 6n+2, not only for those of the list;"
          + " but",
      "[pre]resnet18, 34, 50, 101 and 152, plain18 and plain34 are the nets for photos, of 1000"
          + " classes",
      "in this list. preresnetN has its norms before its convolutions, resnetNd the stem of"
          + " ResNet-D,",
      "resnetv2_50x1 is a net of BiT. The recurrent nets exist for text, and for images (--input),"
          + " which",
      "they read row by row."
    })
final class ModelsCommand implements Callable<Integer> {
  /// The vocabulary size of the listed nets for text: that of English text with lower-case letters,
  /// capitals and some punctuation marks.
  private static final int VOCABULARY = 65;

  private static final int WINDOW = 100;

  /// The largest number of values of an image in `--input`, because the work of a net grows with
  /// them.
  private static final int MOST_VALUES = 1 << 22;

  @Mixin private final Output output = new Output();

  @Parameters(arity = "0..1", paramLabel = "MODEL", description = "The model to show.")
  private @Nullable String model;

  @Mixin private final ModelOptions options = new ModelOptions();

  @Option(
      names = "--input",
      paramLabel = "CxHxW",
      description = "The size of an image. Default: that for which the net was made.")
  private @Nullable String input;

  /// A model of the list. A net for images has the fields of an image, a net for text has a
  /// vocabulary.
  record Entry(
      String name,
      @Nullable Integer depth,
      long params,
      @Nullable Long madds,
      @Nullable List<Integer> input,
      @Nullable Integer vocabulary) {}

  record Parameter(String path, Shape shape, long elements, boolean trained) {}

  @Override
  public Integer call() {
    String given = input;
    ImageShape size = given == null ? null : output.usage(() -> parse(given));
    String name = model;
    if (name == null) {
      list(size);
    } else if (size == null && Architecture.textNames().contains(name)) {
      show(output.usage(() -> Architecture.text(name, options.options())));
    } else if (Architecture.masksNames().contains(name)) {
      show(output.usage(() -> Architecture.masks(name, options.options())), size);
    } else {
      show(output.usage(() -> Architecture.images(name, options.options())), size);
    }
    return Exit.DONE;
  }

  private void list(@Nullable ImageShape size) {
    Architecture.Options changed = options.options();
    var entries = new ArrayList<Entry>();
    for (String name : Architecture.imagesNames()) {
      var net = output.usage(() -> Architecture.images(name, understood(name, changed)));
      entries.add(entry(net, inputOf(net, size), summary(net, size)));
    }
    for (String name : Architecture.masksNames()) {
      var net = output.usage(() -> Architecture.masks(name, understood(name, changed)));
      entries.add(entry(net, inputOf(net, size), summary(net, size)));
    }
    for (String name : Architecture.textNames()) {
      var net = output.usage(() -> Architecture.text(name, understood(name, changed)));
      entries.add(entry(net, parameters(net)));
    }
    output.answer(
        Map.of("models", entries),
        () ->
            output.table(
                List.of("model", "depth", "parameters", "multiply-adds", "input"),
                entries.stream().map(ModelsCommand::row).toList()));
  }

  /// Returns the options that the named model has. In the list, an option applies to the models
  /// that have it, and the others ignore it.
  private static Architecture.Options understood(String name, Architecture.Options given) {
    if (Architecture.masksNames().contains(name)) {
      boolean anySize = given.norm() != Norm.LAYER && given.norm() != Norm.RMS;
      return new Architecture.Options(
          null, anySize ? given.norm() : null, given.width(), null, given.layers());
    }
    boolean convolutional = Architecture.CONVOLUTIONAL.matcher(name).matches();
    boolean recurrent = Architecture.textNames().contains(name);
    return new Architecture.Options(
        convolutional && hasShortcut(name, given.shortcut()) ? given.shortcut() : null,
        recurrent || (!convolutional && given.norm() == Norm.STANDARDIZED) ? null : given.norm(),
        convolutional ? given.width() : null,
        convolutional ? null : given.hidden(),
        convolutional ? null : given.layers(),
        null,
        name.matches("resnet(50|101|152)d?") ? given.strideIn() : null,
        convolutional && !name.startsWith("plain") ? given.zeroInit() : null);
  }

  /// Whether the named net exists with this shortcut: a plain net has none, and only those of basic
  /// blocks exist without.
  private static boolean hasShortcut(String name, @Nullable Shortcut shortcut) {
    return shortcut == Shortcut.NONE
        ? name.matches("resnet\\d+") && !name.matches("resnet(50|101|152)")
        : !name.startsWith("plain");
  }

  private static List<String> row(Entry e) {
    return List.of(
        e.name,
        e.depth == null ? "" : Integer.toString(e.depth),
        Count.exact(e.params),
        e.madds == null ? "" : Count.millions(e.madds),
        e.input == null
            ? "text of %s characters".formatted(VOCABULARY)
            : "%s×%s×%s".formatted(e.input.toArray()));
  }

  private void show(Architecture.OfImages net, @Nullable ImageShape size) {
    Summary summary = output.usage(() -> summary(net, size));
    output.answer(
        Map.of(
            "models", List.of(entry(net, inputOf(net, size), summary)), "layers", summary.layers()),
        () -> tree(net, summary));
  }

  private void show(Architecture.OfText net) {
    List<Parameter> parameters = parameters(net);
    Entry entry = entry(net, parameters);
    output.answer(
        Map.of("models", List.of(entry), "parameters", parameters),
        () -> {
          var rows = new ArrayList<List<String>>();
          for (Parameter p : parameters) {
            rows.add(List.of("  " + p.path, p.shape.toString(), Count.exact(p.elements)));
          }
          rows.add(List.of("in all", "", Count.exact(entry.params)));
          output.table(
              List.of(
                  "%s (%s) for %s characters".formatted(net.name(), net.options(), VOCABULARY),
                  "shape",
                  "parameters"),
              rows);
        });
  }

  private void tree(Architecture.OfImages net, Summary summary) {
    var rows = new ArrayList<List<String>>();
    for (Summary.Entry e : summary.layers().subList(1, summary.layers().size())) {
      String name = e.name().isEmpty() ? e.layer() : e.name() + "  " + e.layer();
      rows.add(
          List.of(
              "  ".repeat(e.depth() - 1) + name,
              e.value().toString(),
              e.params() == 0 ? "" : Count.exact(e.params()),
              e.multiplyAdds() == 0 ? "" : Count.millions(e.multiplyAdds())));
    }
    rows.add(
        List.of(
            "in all", "", Count.exact(summary.params()), Count.millions(summary.multiplyAdds())));
    output.table(List.of(net.name(), "value", "parameters", "multiply-adds"), rows);
  }

  private static ImageShape inputOf(Architecture.OfImages net, @Nullable ImageShape size) {
    return Objects.requireNonNullElse(size, net.input());
  }

  private static Summary summary(Architecture.OfImages net, @Nullable ImageShape size) {
    try (var _ = Scope.ofShapes()) {
      ImageShape in = inputOf(net, size);
      return Summary.of(
          net.on(in, net.classes()).build(Init.zeros()),
          Shape.of(in.channels(), in.height(), in.width()));
    }
  }

  private static List<Parameter> parameters(Architecture.OfText net) {
    try (var _ = Scope.ofShapes()) {
      LanguageModel built = net.withVocabulary(VOCABULARY).withWindow(WINDOW).build(Init.zeros());
      var parameters = new ArrayList<Parameter>();
      for (Map.Entry<String, Param> each : built.state().entrySet()) {
        Shape shape = each.getValue().value().shape();
        parameters.add(
            new Parameter(each.getKey(), shape, shape.elements(), each.getValue().trained()));
      }
      return parameters;
    }
  }

  private static Entry entry(Architecture.OfImages net, ImageShape in, Summary summary) {
    return new Entry(
        net.name(),
        net instanceof Architecture.Convolutional deep ? deep.depth() : null,
        summary.params(),
        summary.multiplyAdds(),
        List.of(in.channels(), in.height(), in.width()),
        null);
  }

  private static Entry entry(Architecture.OfText net, List<Parameter> parameters) {
    long trained =
        parameters.stream().filter(Parameter::trained).mapToLong(Parameter::elements).sum();
    return new Entry(net.name(), null, trained, null, null, VOCABULARY);
  }

  /// Returns the image shape that `--input` gives. Throws `IllegalArgumentException` if the text is
  /// no image shape, or if an image would have more than [#MOST_VALUES] values.
  static ImageShape parse(String text) {
    var matcher =
        Pattern.compile("([1-9]\\d{0,3})[x×]([1-9]\\d{0,3})[x×]([1-9]\\d{0,3})").matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "--input is channels x height x width, such as 3x32x32, each of 1 to 9999, but is \""
              + text
              + "\"");
    }
    var size =
        new ImageShape(
            Integer.parseInt(matcher.group(1)),
            Integer.parseInt(matcher.group(2)),
            Integer.parseInt(matcher.group(3)));
    long values = (long) size.channels() * size.height() * size.width();
    if (values > MOST_VALUES) {
      throw new IllegalArgumentException(
          "--input has at most %s values, which is 3x1182x1182, but %s has %s; a net's work grows with them"
              .formatted(MOST_VALUES, text, values));
    }
    return size;
  }

  /// The options that change a model.
  static final class ModelOptions {
    @Rare
    @Option(
        names = "--shortcut",
        description = "What residual blocks add: A, B or C of the paper, or none.",
        paramLabel = "A|B|C|none")
    private @Nullable Shortcut shortcut;

    @Option(
        names = "--norm",
        description =
            "The normalization of nets for images and masks. One of " + "${COMPLETION-CANDIDATES}.",
        paramLabel = "NORM")
    private @Nullable Norm norm;

    @Option(
        names = "--width",
        description =
            "Channels of the first stage of convolutional nets. Default: 16, for photos 64.",
        paramLabel = "K")
    private @Nullable Integer width;

    @Option(
        names = "--hidden",
        description = "Units of a layer of a recurrent net, a transformer or mlp.",
        paramLabel = "H")
    private @Nullable Integer hidden;

    @Option(
        names = "--layers",
        description =
            "Layers of a recurrent net, a transformer or mlp; levels of masknet. Of mlp they "
                + "are the hidden ones; of masknet, how often it halves the image.",
        paramLabel = "L")
    private @Nullable Integer layers;

    @Rare
    @Option(
        names = "--dropout",
        description =
            "The share of activations that a training step leaves out. Nets for images have it: "
                + "before the classifier; mlp behind each hidden layer.",
        paramLabel = "P")
    private @Nullable Double dropout;

    @Rare
    @Option(
        names = "--stride-in",
        description =
            "The kernel that has the stride of a bottleneck of resnet50, 101 and 152: 3 as in "
                + "published weights, or 1 as in the paper.",
        paramLabel = "1|3")
    private @Nullable Integer strideIn;

    @Rare
    @Option(
        names = "--zero-init",
        description =
            "Lets every residual branch begin as zero. The gains of its last norm do, or its last "
                + "convolution where no norm ends it.")
    private boolean zeroInit;

    Architecture.Options options() {
      return new Architecture.Options(
          shortcut, norm, width, hidden, layers, dropout, strideIn, zeroInit ? true : null);
    }
  }
}
