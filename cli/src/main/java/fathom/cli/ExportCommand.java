package fathom.cli;

import fathom.Layer;
import fathom.Node;
import fathom.Scope;
import fathom.Shape;
import fathom.infer.ModelCard;
import fathom.io.SafeTensors;
import fathom.io.StoredTensor;
import fathom.io.TensorFile;
import fathom.io.TorchFile;
import fathom.net.ImageShape;
import fathom.nn.Init;
import fathom.onnx.Onnx;
import fathom.run.Run;
import fathom.train.Weights;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
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
      "Writes the net of a run's last checkpoint, or weights from elsewhere, for other programs.",
      "",
      "onnx: the whole net, for ONNX Runtime and others; its input \"pictures\" is N x C x H x W"
          + " for any",
      "N, already normalised. safetensors, pt: the weights under their names, which are"
          + " torchvision's",
      "for the nets for photos; torch.load(FILE, weights_only=True) reads pt as a state",
      "dictionary. Without --model all tensors of WEIGHTS are taken as they are. safetensors and"
          + " onnx say",
      "in their metadata which net it is, its classes, and what is done to images before."
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
      paramLabel = "N",
      description = "The classes of --model. Default: those for which it was made.")
  private @Nullable Integer classes;

  /// The answer of `--json`.
  record Answer(
      String file,
      String form,
      @Nullable String model,
      int tensors,
      long bytes,
      Map<String, String> metadata) {}

  /// A net with its weights, its input shape (null for text), and the metadata of the file.
  private record Subject(
      String name, Node net, @Nullable ImageShape input, Map<String, String> metadata) {}

  @Override
  public Integer call() {
    Path source = output.required(from, "RUN or WEIGHTS");
    Path file = output.required(to, "FILE");
    Form as = form != null ? form : output.required(Form.of(file), "--to safetensors, pt or onnx");
    Destination.check(file, "FILE", source, output);
    try (var _ = Scope.open()) {
      if (WeightsFile.isRun(source)) {
        write(as, file, ofRun(source));
        return Exit.DONE;
      }
      WeightsFile weights = WeightsFile.open(source, output);
      if (best.isGiven()) {
        throw output.refused("--best is for a run, but %s is a file of weights".formatted(source));
      }
      if (model == null && (input != null || classes != null) && !weights.isNamed()) {
        throw output.refused("--input and --classes are of --model");
      }
      if (model != null || as == Form.ONNX) {
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
    if (model != null) {
      throw output.refused("--model is for a file of weights; a run knows its own");
    }
    Path weights = best.weights(run);
    boolean text = run.info().input().isEmpty();
    Node net = text ? run.textNet(Init.zeros()) : run.imageNet(Init.zeros());
    Weights.read(weights, net);
    var card = run.card(text ? null : run.normalization());
    return new Subject(run.recipe().model(), net, text ? null : run.input(), card.metadata());
  }

  private Subject ofWeights(Path file, WeightsFile weights) {
    var standard = weights.net(model, modelOptions.options());
    ImageShape size = weights.input(input, standard);
    int count = Objects.requireNonNullElse(weights.classCount(classes), standard.classes());
    var changed = output.usage(() -> standard.on(size, count));
    Layer net = output.usage(() -> changed.build(Init.zeros()));
    Weights.read(file, net);
    ModelCard own = weights.card();
    var card =
        new ModelCard(
            changed.name(),
            changed.options(),
            size,
            own.photos(),
            own.classes(),
            own.normalization(),
            null);
    return new Subject(changed.name(), net, size, card.metadata());
  }

  private void write(Form as, Path file, Subject subject) {
    switch (as) {
      case SAFETENSORS -> Weights.write(file, subject.net, subject.metadata);
      case PT -> Weights.writeForTorch(file, subject.net);
      case ONNX -> {
        ImageShape in = subject.input;
        if (in == null || !(subject.net instanceof Layer net)) {
          throw output.refused(
              "%s reads text, and only nets for images can be written as ONNX; --to safetensors and pt take its weights"
                  .formatted(subject.name));
        }
        Shape image = Shape.of(in.channels(), in.height(), in.width());
        output.usage(() -> {
          Onnx.write(file, net, image, subject.metadata);
          return net;
        });
      }
    }
    answer(as, file, subject.name, subject.net.state().size(), subject.metadata);
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
      answer(as, file, null, tensors.size(), stored.metadata());
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
      Form as, Path file, @Nullable String name, int tensors, Map<String, String> metadata) {
    Map<String, String> said = as == Form.PT ? Map.of() : metadata;
    long bytes = size(file);
    output.answer(
        new Answer(file.toString(), as.spelled(), name, tensors, bytes, said),
        () -> {
          output
              .out()
              .println(
                  String.format(
                      Locale.ROOT,
                      "%s: %s as %s, %d tensors, %.1f MB",
                      file,
                      name == null ? "all of " + from : name,
                      as.spelled(),
                      tensors,
                      bytes / 1e6));
          if (metadata.containsKey("fathom.mean")) {
            output
                .out()
                .println(
                    "The net takes (x/255 - mean) / std"
                        + (as == Form.PT
                            ? "; --to safetensors and onnx write both into the file."
                            : ": fathom.mean and fathom.std in the file's metadata."));
          }
        });
  }
}
