package fathom.cli;

import fathom.Shape;
import fathom.data.CentreCrop;
import fathom.data.Normalization;
import fathom.infer.FittingNets;
import fathom.infer.ModelCard;
import fathom.io.BadFileException;
import fathom.io.Shown;
import fathom.io.StateDictionary;
import fathom.io.TensorFile;
import fathom.net.Architecture;
import fathom.net.CharacterNet;
import fathom.net.ImageShape;
import fathom.net.Mlp;
import fathom.net.RowNet;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "info",
    description = {
      "Says what a file of weights holds, and which net it fits.",
      "",
      "Nothing in the file is run. It may be safetensors, whole or in parts (INDEX.json), a state"
          + " dictionary",
      "of PyTorch (.pth, .th, .pt), or a folder of published weights with config.json."
    },
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  fathom weights info resnet20.th",
      "  fathom weights info runs/mine/checkpoint.safetensors --all --json"
    })
final class WeightsInfoCommand implements Callable<Integer> {
  /// The first two parts of a name belong together if the second is a number, as in `layer1.0`.
  private static final Pattern LAYER = Pattern.compile("([^.]+(?:\\.\\d+)?)\\..+");

  private static final int SHOWN_METADATA = 20;
  private static final int LONGEST = 60;

  /// More numbers than this are not of channels but of pixels.
  private static final int MOST_CHANNELS = 4;

  @Mixin private final Output output = new Output();

  @Parameters(arity = "0..1", paramLabel = "FILE", description = "A file or folder of weights.")
  private @Nullable Path file;

  @Option(names = "--all", description = "List every tensor instead of the layers' sums.")
  private boolean all;

  /// The answer of `--json`.
  ///
  /// @param model the net that the file says it is of, null if it does not say
  /// @param options what it says of that net's options
  /// @param types the number of tensors of each type of elements
  /// @param classes the names of the classes that it states, null if it states none
  /// @param input the size of images that it states, null if it states none
  /// @param resize the shorter side and the filter before the centre of a photo is cut out, null if
  ///   they are the usual ones or nothing is said
  /// @param mean what it says that images are normalised by, null if it says nothing
  /// @param std the standard deviations that go with `mean`
  /// @param fits the nets that have exactly these tensors
  record Answer(
      String file,
      String format,
      int tensors,
      long elements,
      SequencedMap<String, Integer> types,
      List<Layer> layers,
      Map<String, String> metadata,
      @Nullable String model,
      Architecture.Options options,
      @Nullable List<String> classes,
      @Nullable String input,
      @Nullable String resize,
      float @Nullable [] mean,
      float @Nullable [] std,
      List<Fit> fits) {}

  /// Tensors that belong together.
  record Layer(String name, int tensors, long elements, String shapes) {}

  /// A net that has these tensors. A size that nets of its kind do not have is null.
  ///
  /// @param reads what the net reads: `images`, `rows` of images, `masks` or `text`
  /// @param channels of the images
  /// @param features the numbers of an image that is read as a set of numbers, or of each row
  /// @param classes the number of classes, or of characters
  /// @param window the most characters that are read at a time
  record Fit(
      String model,
      Architecture.Options options,
      String reads,
      @Nullable Integer channels,
      @Nullable Integer features,
      int classes,
      @Nullable Integer window) {
    static Fit of(Architecture net) {
      String model = net.name();
      Architecture.Options options = net.options();
      return switch (net) {
        case Mlp mlp ->
            new Fit(model, options, "images", null, mlp.input().width(), mlp.classes(), null);
        case RowNet rows ->
            new Fit(model, options, "rows", null, rows.input().width(), rows.classes(), null);
        case Architecture.OfImages images ->
            new Fit(
                model,
                options,
                images instanceof Architecture.OfMasks ? "masks" : "images",
                images.input().channels(),
                null,
                images.classes(),
                null);
        case CharacterNet text ->
            new Fit(
                model,
                options,
                "text",
                null,
                null,
                text.vocabulary(),
                model.equals(Architecture.TRANSFORMER) ? text.window() : null);
        default -> throw new IllegalStateException("a net of no kind: " + model);
      };
    }

    /// Says what the net takes and gives.
    String data() {
      return switch (reads) {
        case "text" ->
            "texts of %s characters%s"
                .formatted(classes, window == null ? "" : ", %s at a time".formatted(window));
        case "rows" -> "%s classes and images with rows of %s numbers".formatted(classes, features);
        default ->
            "%s classes%s and images of %s"
                .formatted(
                    classes,
                    reads.equals("masks") ? " of pixels" : "",
                    features != null
                        ? features + " numbers"
                        : "%s channel%s"
                            .formatted(channels, Objects.equals(channels, 1) ? "" : "s"));
      };
    }

    /// The same without the norm, which often has the tensors of other norms.
    private Fit withoutNorm() {
      var said =
          new Architecture.Options(
              options.shortcut(), null, options.width(), options.hidden(), options.layers());
      return new Fit(model, said, reads, channels, features, classes, window);
    }
  }

  @Override
  public Integer call() {
    Path from = output.required(file, "FILE");
    if (!Files.exists(from)) {
      throw new BadFileException(from, "there is no such file");
    }
    ModelCard card = ModelCard.of(from);
    try (TensorFile stored = TensorFile.open(from)) {
      Answer answer = answer(from, stored, card);
      output.answer(answer, () -> show(answer));
    }
    return Exit.DONE;
  }

  private Answer answer(Path from, TensorFile stored, ModelCard card) {
    var layers = new LinkedHashMap<String, List<String>>();
    SequencedMap<String, Integer> types = new LinkedHashMap<>();
    long elements = 0;
    for (String name : stored.names()) {
      layers.computeIfAbsent(layer(name), _ -> new ArrayList<>()).add(name);
      types.merge(stored.type(name), 1, Integer::sum);
      elements += stored.shape(name).elements();
    }
    ImageShape input = card.input();
    CentreCrop crop = card.crop();
    Normalization normalization = card.normalization();
    return new Answer(
        from.toString(),
        stored.format(),
        stored.names().size(),
        elements,
        types,
        layers.entrySet().stream()
            .map(layer -> layer(layer.getKey(), layer.getValue(), stored))
            .toList(),
        stored.metadata(),
        card.model(),
        card.options(),
        card.isText() ? null : card.classes(), // those of a text are its characters
        input == null ? null : input.toString(),
        crop == null
            ? null
            : "%s %s".formatted(crop.shorter(), crop.filter().name().toLowerCase(Locale.ROOT)),
        normalization == null ? null : normalization.mean(),
        normalization == null ? null : normalization.standardDeviation(),
        FittingNets.of(stored).stream().map(Fit::of).toList());
  }

  private String layer(String name) {
    var layer = LAYER.matcher(StateDictionary.plain(name));
    return all || !layer.matches() ? name : layer.group(1);
  }

  private static Layer layer(String layer, List<String> names, TensorFile stored) {
    long elements = names.stream().mapToLong(name -> stored.shape(name).elements()).sum();
    String shapes =
        names.stream()
            .map(stored::shape)
            .filter(shape -> shape.rank() > 1 || names.size() == 1)
            .map(Shape::toString)
            .collect(Collectors.joining(", "));
    return new Layer(layer, names.size(), elements, shapes);
  }

  private void show(Answer answer) {
    output
        .out()
        .println(
            "%s: %s, %s tensors with %s numbers: %s"
                .formatted(
                    answer.file,
                    answer.format,
                    Count.exact(answer.tensors),
                    Count.exact(answer.elements),
                    answer.types.entrySet().stream()
                        .map(type -> "%s of %s".formatted(type.getValue(), type.getKey()))
                        .collect(Collectors.joining(", "))));
    answer.metadata.entrySet().stream()
        .limit(SHOWN_METADATA)
        .forEach(entry ->
            output
                .out()
                .println("  %s: %s".formatted(brief(entry.getKey()), brief(entry.getValue()))));
    output.out().println();
    output.table(
        List.of(all ? "tensor" : "layer", "tensors", "numbers", "shapes of rank 2 and more"),
        answer.layers.stream()
            .map(layer ->
                List.of(
                    brief(layer.name),
                    Integer.toString(layer.tensors),
                    Count.exact(layer.elements),
                    cut(layer.shapes)))
            .toList());
    output.out().println();
    if (answer.model != null) {
      output
          .out()
          .println(
              "It says that it is of %s%s."
                  .formatted(
                      brief(answer.model),
                      answer.options.given().isEmpty() ? "" : " (%s)".formatted(answer.options)));
    }
    if (answer.classes != null) {
      output
          .out()
          .println(
              "It says that its classes are %s.".formatted(FineTuneOptions.some(answer.classes)));
    }
    String images = images(answer);
    if (!images.isEmpty()) {
      output.out().println(images);
    }
    if (answer.fits.isEmpty()) {
      output.out().println("No net here has exactly these tensors.");
    }
    answer.fits.stream()
        .collect(Collectors.groupingBy(Fit::withoutNorm, LinkedHashMap::new, Collectors.toList()))
        .values()
        .forEach(alike -> output.out().println("It fits " + text(alike) + "."));
  }

  /// Says what the file states of its images, or what it lacks; empty for a net that reads none.
  private static String images(Answer answer) {
    if (answer.mean == null || answer.std == null) {
      return answer.fits.stream().allMatch(fit -> fit.reads.equals("text"))
          ? ""
          : "It does not say what images are normalised by: give --mean and --std with it.";
    }
    return "It says that images are %snormalised by %s."
        .formatted(
            answer.input == null
                ? ""
                : "%s%s, "
                    .formatted(
                        answer.input,
                        answer.resize == null
                            ? ""
                            : ", the centre of a shorter side of " + answer.resize),
            Math.max(answer.mean.length, answer.std.length) > MOST_CHANNELS
                ? "numbers of each pixel"
                : "the mean %s and the standard deviation %s"
                    .formatted(numbers(answer.mean), numbers(answer.std)));
  }

  private static String numbers(float[] values) {
    return IntStream.range(0, values.length)
        .mapToObj(i -> Float.toString(values[i]))
        .collect(Collectors.joining(", "));
  }

  /// Nets that differ in nothing but their norm are said together.
  private static String text(List<Fit> alike) {
    String norms =
        alike.stream()
            .map(fit -> fit.options.norm())
            .filter(Objects::nonNull)
            .map(norm -> norm.toString().toLowerCase(Locale.ROOT))
            .collect(Collectors.joining(" or "));
    var options = new ArrayList<String>();
    alike
        .getFirst()
        .options
        .given()
        .forEach((name, value) -> options.add(name + " " + (name.equals("norm") ? norms : value)));
    return "%s (%s) for %s"
        .formatted(alike.getFirst().model, String.join(", ", options), alike.getFirst().data());
  }

  /// A name or text from a file, without characters that a terminal obeys.
  private static String brief(String text) {
    String shown = Shown.name(text);
    return cut(shown.substring(1, shown.length() - 1));
  }

  private static String cut(String text) {
    return text.length() <= LONGEST ? text : text.substring(0, LONGEST - 3) + "...";
  }
}
