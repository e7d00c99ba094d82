package fathom.cli;

import fathom.Layer;
import fathom.Node;
import fathom.Scope;
import fathom.Shape;
import fathom.data.Normalization;
import fathom.infer.ModelCard;
import fathom.io.SafeTensors;
import fathom.io.StoredTensor;
import fathom.io.TensorFile;
import fathom.io.TorchFile;
import fathom.net.Architecture;
import fathom.net.ImageShape;
import fathom.net.LanguageModel;
import fathom.nn.Init;
import fathom.onnx.ImageInput;
import fathom.onnx.Onnx;
import fathom.run.Run;
import fathom.train.Weights;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "export",
    description = {
      "Writes the net of a run, or weights from elsewhere, for other programs.",
      "",
      "onnx: the whole net, for ONNX Runtime and others. Of images it takes \"pictures\", N x C x H"
          + " x W,",
      "already normalised; of text \"tokens\", N x T, and \"state\", zeros before a text. "
          + "safetensors, pt: the",
      "weights under their names, which are torchvision's for the nets for photos;",
      "torch.load(FILE, weights_only=True) reads pt as a state dictionary. Without --model all"
          + " tensors of",
      "WEIGHTS are taken as they are. safetensors and onnx say in their metadata which net it is,"
          + " its",
      "classes or characters, and what is done to images before."
    },
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  fathom export runs/resnet20-digits-1 digits.onnx",
      "  fathom export resnet50.safetensors --model resnet50 resnet50.onnx",
      "  fathom export runs/resnet20-digits-1 --to pt weights.pth"
    })
final class ExportCommand implements Callable<Integer> {
  /// The formats of the file that is written.
  enum Form {
    SAFETENSORS,
    PT,
    ONNX;

    String spelled() {
      return name().toLowerCase(Locale.ROOT);
    }

    /// Returns the format that the extension of the file means, or null if it means none.
    static @Nullable Form of(Path file) {
      String name = file.toString().toLowerCase(Locale.ROOT);
      if (name.endsWith(".onnx")) {
        return ONNX;
      }
      if (name.endsWith(".safetensors")) {
        return SAFETENSORS;
      }
      return name.endsWith(".pt") || name.endsWith(".pth") ? PT : null;
    }
  }

  @Mixin private final Output output = new Output();

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "RUN|WEIGHTS",
      description = "A run's folder, or a file or folder of weights.")
  private @Nullable Path from;

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "FILE",
      description = "What is written, or replaced.")
  private @Nullable Path to;

  @Mixin private final BestOption best = new BestOption();

  @Option(
      names = "--to",
      paramLabel = "FORM",
      description = "safetensors, pt or onnx. Default: by the ending of FILE.")
  private @Nullable Form form;

  @Option(names = "--model", paramLabel = "MODEL", description = "The model of a file of weights.")
  private @Nullable String model;

  @Mixin private final ModelsCommand.ModelOptions modelOptions = new ModelsCommand.ModelOptions();

  @Rare
  @Option(
      names = "--input",
      paramLabel = "CxHxW",
      description = "The size of an image for --model. Default: that for which it was made.")
  private @Nullable String input;

  @Rare
  @Option(
      names = "--classes",
      split = ",",
      paramLabel = "N|NAME",
      description =
          "The classes of --model, their number or their names in their order. Default: those for "
              + "which it was made.")
  private @Nullable List<String> classes;

  @Mixin private final NormalizationOption normalization = new NormalizationOption();

  @Rare
  @Option(
      names = "--with-preprocessing",
      description =
          "The ONNX model takes bytes of the net's size, N x H x W x C, and gives probabilities.")
  private boolean withPreprocessing;

  /// The answer of `--json`; `opset` is of an ONNX model.
  record Answer(
      String file,
      String form,
      @Nullable Integer opset,
      @Nullable String model,
      int tensors,
      long bytes,
      Map<String, String> metadata) {}

  /// A net with its weights, and what is known of it.
  private record Subject(Node net, ModelCard card) {
    String name() {
      return Objects.requireNonNull(card.model());
    }
  }

  @Override
  public Integer call() {
    Path source = output.required(from, "RUN or WEIGHTS");
    Path file = output.required(to, "FILE");
    Form as = form != null ? form : output.required(Form.of(file), "--to safetensors, pt or onnx");
    Destination.check(file, "FILE", source, output);
    if (withPreprocessing && as != Form.ONNX) {
      throw output.refused(
          "--with-preprocessing is for an ONNX model, but %s has weights alone"
              .formatted(as.spelled()));
    }
    try (var _ = Scope.open()) {
      if (WeightsFile.isRun(source)) {
        write(as, file, ofRun(source));
        return Exit.DONE;
      }
      WeightsFile weights = WeightsFile.open(source, output);
      if (best.isGiven()) {
        throw output.refused("--best is for a run, but %s is a file of weights".formatted(source));
      }
      boolean described = input != null || classes != null || normalization.isGiven();
      if (model == null && described && !weights.isNamed()) {
        throw output.refused("--input, --classes, --mean and --std are of --model");
      }
      // What a folder's config.json says would be lost with a copy of the tensors alone.
      boolean says = Files.isDirectory(source) && weights.isNamed();
      if (model != null || as == Form.ONNX || says) {
        if (model == null && !weights.isNamed()) {
          throw output.refused(
              "the file does not say of which net its weights are, and an ONNX model is a net: give"
                  + " --model");
        }
        write(as, file, ofWeights(source, weights));
      } else {
        copy(as, file, source);
      }
    }
    return Exit.DONE;
  }

  private Subject ofRun(Path folder) {
    Run run = Run.open(folder);
    if (model != null || normalization.isGiven()) {
      throw output.refused(
          "%s for a file of weights; a run knows its own"
              .formatted(model != null ? "--model is" : "--mean and --std are"));
    }
    Path weights = best.weights(run);
    boolean text = run.info().input().isEmpty();
    Node net = text ? run.textNet(Init.zeros()) : run.imageNet(Init.zeros());
    Weights.read(weights, net);
    return new Subject(net, run.card(text ? null : run.normalization()));
  }

  private Subject ofWeights(Path file, WeightsFile weights) {
    ModelCard own = weights.card();
    if (own.isText() || own.isMasks()) {
      if (input != null || classes != null || normalization.isGiven()) {
        throw output.refused(
            "--input, --classes, --mean and --std are for a net that classifies images");
      }
      Node net =
          own.isText()
              ? weights.text(model, modelOptions.options()).build(Init.zeros())
              : weights.masks(model, modelOptions.options()).build(Init.zeros());
      Weights.read(file, net);
      return new Subject(net, own);
    }
    var standard = weights.net(model, modelOptions.options());
    ImageShape size = weights.input(input, standard);
    Integer number = number(classes);
    List<String> names = number == null ? weights.classes(classes) : own.classes();
    Integer stated = number != null || names == null ? number : Integer.valueOf(names.size());
    int count = Objects.requireNonNullElse(weights.classCount(stated), standard.classes());
    var changed = output.usage(() -> standard.on(size, count));
    Layer net = output.usage(() -> changed.build(Init.zeros()));
    Weights.read(file, net);
    return new Subject(
        net,
        new ModelCard(
                changed.name(),
                changed.options(),
                size,
                photos(own, standard, size),
                names,
                normalization.isGiven()
                    ? weights.normalization(normalization, size.channels())
                    : own.normalization(),
                null)
            .croppedBy(own.crop()));
  }

  /// Whether tests see the centre of a photo: as the file says, or, where the user says what its
  /// images are normalised by, as is usual for the net, so that the preprocessing is whole.
  private @Nullable Boolean photos(
      ModelCard own, Architecture.OfClasses standard, ImageShape size) {
    Boolean usual = standard.photos() == size.height();
    return (own.photos() != null || !normalization.isGiven()) ? own.photos() : usual;
  }

  /// Returns the number that `--classes` is; null if it is names, or not given.
  private static @Nullable Integer number(@Nullable List<String> of) {
    return of != null && of.size() == 1 && of.getFirst().matches("\\d{1,9}")
        ? Integer.valueOf(of.getFirst())
        : null;
  }

  private void write(Form as, Path file, Subject subject) {
    ModelCard card = subject.card;
    Map<String, String> metadata = withPreprocessing ? card.metadataOfBytes() : card.metadata();
    switch (as) {
      case SAFETENSORS -> Weights.write(file, subject.net, metadata);
      case PT -> Weights.writeForTorch(file, subject.net);
      case ONNX ->
          output.usage(() -> {
            writeModel(file, subject, metadata);
            return file;
          });
    }
    answer(as, file, subject.name(), subject.net.state().size(), metadata, takes(as, subject));
  }

  private void writeModel(Path file, Subject subject, Map<String, String> metadata) {
    ModelCard card = subject.card;
    if (subject.net instanceof LanguageModel net) {
      if (withPreprocessing) {
        throw output.refused(
            "--with-preprocessing is for images, but %s reads text, whose characters are fathom.classes in the metadata"
                .formatted(subject.name()));
      }
      Onnx.write(file, net, metadata);
      return;
    }
    ImageShape in = Objects.requireNonNull(card.input());
    ImageInput images =
        card.isMasks()
            ? ImageInput.ofAnySize(in.channels())
            : ImageInput.of(Shape.of(in.channels(), in.height(), in.width()));
    if (withPreprocessing) {
      Normalization by = card.normalization();
      if (by == null) {
        throw output.refused(
            "--with-preprocessing needs what images are normalised by, and the file does not say"
                + " it: give --mean and --std, or export from the run");
      }
      images = images.asBytes(by);
    }
    Onnx.write(file, (Layer) subject.net, images, metadata);
  }

  /// Returns a line that says what goes in and comes out, or null if there is nothing to say.
  private @Nullable String takes(Form as, Subject subject) {
    ModelCard card = subject.card;
    if (as == Form.ONNX && subject.net instanceof LanguageModel net) {
      int states = net.backbone().states();
      return states == 0
          ? "tokens, N x T of at most %s, in; logits out.".formatted(net.context())
          : "tokens, N x T, and state, %s x N x %s, in; logits and next_state out."
              .formatted(states, net.start(1).tensors().getFirst().shape().size(1));
    }
    if (withPreprocessing) {
      return "The model takes the bytes of images, N x H x W x C, and gives probabilities.";
    }
    return takes(as, card.metadata());
  }

  private static @Nullable String takes(Form as, Map<String, String> metadata) {
    return metadata.containsKey("fathom.mean")
        ? "The net takes (x/255 - mean) / std"
            + (as == Form.PT
                ? "; --to safetensors and onnx write both into the file."
                : ": fathom.mean and fathom.std in the file's metadata.")
        : null;
  }

  /// Writes every tensor of a file of weights into another file.
  private void copy(Form as, Path file, Path source) {
    try (var stored = TensorFile.open(source);
        Arena arena = Arena.ofConfined()) {
      var tensors = new LinkedHashMap<String, StoredTensor>();
      stored.names().forEach(name -> tensors.put(name, stored.widened(name, arena)));
      if (as == Form.PT) {
        TorchFile.write(file, tensors);
      } else {
        SafeTensors.write(file, tensors, stored.metadata());
      }
      answer(as, file, null, tensors.size(), stored.metadata(), takes(as, stored.metadata()));
    }
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void answer(
      Form as,
      Path file,
      @Nullable String name,
      int tensors,
      Map<String, String> metadata,
      @Nullable String takes) {
    Map<String, String> said = as == Form.PT ? Map.of() : metadata;
    long bytes = size(file);
    Integer opset = as == Form.ONNX ? Onnx.OPSET : null;
    output.answer(
        new Answer(file.toString(), as.spelled(), opset, name, tensors, bytes, said),
        () -> {
          output
              .out()
              .println(
                  String.format(
                      Locale.ROOT,
                      "%s: %s as %s%s, %d tensors, %.1f MB",
                      file,
                      name == null ? "all of " + from : name,
                      as.spelled(),
                      opset == null ? "" : " of opset " + opset,
                      tensors,
                      bytes / 1e6));
          if (takes != null) {
            output.out().println(takes);
          }
        });
  }
}
