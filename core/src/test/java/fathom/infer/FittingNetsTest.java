package fathom.infer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.Node;
import fathom.Scope;
import fathom.io.TensorFile;
import fathom.net.Architecture;
import fathom.net.CharacterNet;
import fathom.net.ImageShape;
import fathom.net.Mlp;
import fathom.net.Norm;
import fathom.net.RowNet;
import fathom.net.Shortcut;
import fathom.nn.Init;
import fathom.train.Weights;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The weights of every net are recognised as that net's, with its options and sizes, from their
/// names and shapes alone.
class FittingNetsTest {
  private static final int CLASSES = 3;

  @TempDir private Path folder;

  /// What the weights of a net say of it.
  private record Said(String net, String options, String input, int classes, int window) {
    static Said of(Architecture net) {
      String options = net.options().toString();
      return switch (net) {
        case Mlp mlp -> new Said(mlp.name(), options, "" + numbers(mlp.input()), mlp.classes(), 0);
        case RowNet rows ->
            new Said(rows.name(), options, "" + row(rows.input()), rows.classes(), 0);
        case Architecture.OfImages images -> {
          // These have a gain for each pixel.
          boolean sized =
              images.options().norm() == Norm.LAYER || images.options().norm() == Norm.RMS;
          ImageShape input = images.input();
          yield new Said(
              images.name(),
              options,
              sized ? input.toString() : "" + input.channels(),
              images.classes(),
              0);
        }
        case CharacterNet text ->
            new Said(
                text.name(),
                options,
                "",
                text.vocabulary(),
                text.name().equals(Architecture.TRANSFORMER) ? text.window() : 0);
        default -> throw new AssertionError(net);
      };
    }

    private static int numbers(ImageShape image) {
      return image.channels() * image.height() * image.width();
    }

    private static int row(ImageShape image) {
      return image.channels() * image.width();
    }
  }

  private List<Said> found(Node net, boolean torch) {
    Path file = folder.resolve(torch ? "net.pt" : "net.safetensors");
    if (torch) {
      Weights.writeForTorch(file, net);
    } else {
      Weights.write(file, net, Map.of());
    }
    try (TensorFile stored = TensorFile.open(file)) {
      return FittingNets.of(stored).stream().map(Said::of).toList();
    }
  }

  private void assertFound(Architecture description, boolean torch) {
    try (var _ = Scope.open()) {
      Node net =
          switch (description) {
            case Architecture.OfImages images -> images.build(Init.zeros());
            case Architecture.OfText text -> text.build(Init.zeros());
            default -> throw new AssertionError(description);
          };
      List<Said> found = found(net, torch);
      assertTrue(
          found.contains(Said.of(description)),
          () -> "%s is none of %s".formatted(Said.of(description), found));
      assertEquals(found.stream().distinct().toList(), found, "each once");
    }
  }

  private static Architecture.OfClasses image(
      String name, @Nullable Shortcut shortcut, @Nullable Norm norm) {
    if (Architecture.CONVOLUTIONAL.matcher(name).matches()) {
      int width = Architecture.Convolutional.named(name).blocks() > 100 ? 1 : 8;
      return Architecture.images(name, new Architecture.Options(shortcut, norm, width, null, null))
          .on(new ImageShape(2, 32, 32), CLASSES);
    }
    return Architecture.images(name, new Architecture.Options(shortcut, norm, null, 6, 3))
        .on(new ImageShape(2, 5, 7), CLASSES);
  }

  @Test
  void everyNetForImages() {
    for (String name : Architecture.imagesNames()) {
      if (!name.endsWith("1202")) { // 30 nets of a thousand layers take seconds
        assertFound(image(name, null, null), name.length() % 2 == 0);
      }
    }
  }

  /// A resnetv2_50x3 of a third of its width has the same tensors, as has a preresnet50 with the
  /// norm of resnetv2_50x1.
  @Test
  void aNetOfItsUsualWidthIsNotAnotherThatWasMadeNarrower() {
    var narrow = Architecture.Convolutional.named("resnetv2_50x1");
    try (var _ = Scope.open()) {
      Node net = narrow.on(new ImageShape(3, 32, 32), CLASSES).build(Init.zeros());
      Path file = folder.resolve("net.safetensors");
      Weights.write(file, net, Map.of());
      try (TensorFile stored = TensorFile.open(file)) {
        assertEquals(
            Set.of("preresnet50", "resnetv2_50x1"),
            FittingNets.of(stored).stream().map(Architecture::name).collect(Collectors.toSet()));
      }
    }
  }

  @Test
  void everyNormAndShortcut() {
    for (String name : List.of("resnet8", "preresnet20", "preresnet11", "resnet18", "resnet50")) {
      for (Shortcut shortcut : List.of(Shortcut.A, Shortcut.B, Shortcut.C)) {
        for (Norm norm : Norm.values()) {
          assertFound(image(name, shortcut, norm), false);
        }
      }
    }
    for (String name : List.of("plain20", "plain18", "resnet50d", "preresnet18", "resnetv2_50x1")) {
      for (Norm norm : List.of(Norm.LAYER, Norm.WEIGHT, Norm.GROUP, Norm.NONE)) {
        assertFound(image(name, null, norm), true);
      }
    }
    for (Norm norm : Norm.values()) {
      if (norm != Norm.INSTANCE && norm != Norm.STANDARDIZED) { // which are not for dense layers
        assertFound(image("mlp", null, norm), false);
      }
    }
  }

  @Test
  void everyNetForTextAndForMasks() {
    for (String name : Architecture.textNames()) {
      for (int layers : List.of(1, 3)) {
        assertFound(
            Architecture.text(name, new Architecture.Options(null, null, null, 6, layers))
                .withVocabulary(11)
                .withWindow(9),
            true);
      }
    }
    for (String name : Architecture.masksNames()) {
      for (Norm norm : Norm.values()) {
        for (int levels : List.of(1, 4)) {
          if (norm != Norm.LAYER && norm != Norm.RMS) { // which need a size
            assertFound(
                Architecture.masks(name, new Architecture.Options(null, norm, 4, null, levels))
                    .on(new ImageShape(2, 16, 16), CLASSES),
                false);
          }
        }
      }
    }
  }

  /// Nets whose tensors are alike are all found, and none whose are not.
  @Test
  void aNetOfOtherTensorsIsNotFound() {
    try (var _ = Scope.open()) {
      var names = new ArrayList<String>();
      for (Said each : found(image("preresnet20", null, null).build(Init.zeros()), false)) {
        names.add(each.net + " " + each.options);
      }
      assertEquals(List.of("preresnet20 shortcut B, norm batch, width 8"), names);
      Node lstm =
          Architecture.text("lstm", new Architecture.Options(null, null, null, 6, 2))
              .build(Init.zeros());
      assertEquals(List.of("lstm"), found(lstm, false).stream().map(Said::net).toList());
    }
  }
}
