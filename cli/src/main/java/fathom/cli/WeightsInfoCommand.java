package fathom.cli;

import fathom.Shape;
import fathom.infer.FittingNets;
import fathom.infer.ModelCard;
import fathom.io.BadFileException;
import fathom.io.Shown;
import fathom.io.StateDictionary;
import fathom.io.TensorFile;
import fathom.net.Architecture;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
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

  @Mixin private final Output output = new Output();

  @Parameters(arity = "0..1", paramLabel = "FILE", description = "A file or folder of weights.")
  private @Nullable Path file;

  @Option(names = "--all", description = "List every tensor instead of the layers' sums.")
  private boolean all;

  /// The answer of `--json`.
  ///
  /// @param types the number of tensors of each type of elements
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
      List<Fit> fits) {}

  /// Tensors that belong together.
  record Layer(String name, int tensors, long elements, String shapes) {}

  /// A net that has these tensors.
  record Fit(String model, Architecture.Options options, int channels, int classes) {
    static Fit of(Architecture.OfClasses net) {
      return new Fit(net.name(), net.options(), net.input().channels(), net.classes());
    }

    @Override
    public String toString() {
      return "%s (%s) for %s classes and images of %s channel%s"
          .formatted(model, options, classes, channels, channels == 1 ? "" : "s");
    }
  }

  @Override
  public Integer call() {
    Path from = output.required(file, "FILE");
    if (!Files.exists(from)) {
      throw new BadFileException(from, "there is no such file");
    }
    String model = ModelCard.of(from).model();
    try (TensorFile stored = TensorFile.open(from)) {
      Answer answer = answer(from, stored, model);
      output.answer(answer, () -> show(answer));
    }
    return Exit.DONE;
  }

  private Answer answer(Path from, TensorFile stored, @Nullable String model) {
    var layers = new LinkedHashMap<String, List<String>>();
    SequencedMap<String, Integer> types = new LinkedHashMap<>();
    long elements = 0;
    for (String name : stored.names()) {
      layers.computeIfAbsent(layer(name), _ -> new ArrayList<>()).add(name);
      types.merge(stored.type(name), 1, Integer::sum);
      elements += stored.shape(name).elements();
    }
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
        model,
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
      output.out().println("It says that it is of " + brief(answer.model) + ".");
    }
    if (answer.fits.isEmpty()) {
      output.out().println("No convolutional net here has exactly these tensors.");
    }
    answer.fits.forEach(fit -> output.out().println("It fits " + fit + "."));
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
