package fathom.infer;

import fathom.Node;
import fathom.Scope;
import fathom.Shape;
import fathom.io.StateDictionary;
import fathom.io.TensorFile;
import fathom.net.Architecture;
import fathom.net.ImageShape;
import fathom.net.Norm;
import fathom.net.PhotoNet;
import fathom.net.PreActivationPhotoNet;
import fathom.net.Shortcut;
import fathom.nn.Init;
import fathom.train.WeightNames;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Finds the nets whose tensors a file has: by its names and shapes, which are compared with those
/// of nets that are built without numbers, so that nothing is computed.
///
/// Tensors do not say all, so a file may fit several nets. A plain net has the tensors of the
/// residual net with option A, and norms with a gain and a bias for each channel are alike.
/// Dropout, the place of a stride and the height of an image that is read row by row leave no
/// trace.
public final class FittingNets {
  private static final Pattern BLOCK =
      Pattern.compile("(?:layer|stages\\.)(\\d)\\.(?:blocks\\.)?(\\d{1,4})\\..*");
  private static final Pattern STEM = weight("conv1|conv1\\.0|stem\\.conv");
  private static final Pattern FIRST_CONVOLUTION =
      weight("(?:layer1\\.0|stages\\.0\\.blocks\\.0)\\.conv1");
  private static final Pattern CLASSIFIER = weight("fc|linear|head\\.fc|head|classifier");
  private static final Pattern HIDDEN = weight("hidden\\d{1,5}");
  private static final Pattern FIRST_HIDDEN = weight("hidden1");
  private static final Pattern EMBEDDING = weight("embedding");
  private static final Pattern RECURRENT = Pattern.compile("body\\.\\d{1,5}\\.weight_x");
  private static final Pattern FIRST_RECURRENT = Pattern.compile("body\\.0\\.weight_x");
  private static final Pattern ATTENTION =
      Pattern.compile("body\\.blocks\\.\\d{1,5}\\.attention\\.in_proj_weight");
  private static final Pattern POSITIONS = Pattern.compile("body\\.positions");
  private static final Pattern FIRST_OF_MASKS = weight("level1\\.encoder\\.0\\.conv1");
  private static final Pattern DOWN = weight("level1\\.(?:level\\d\\.)*down");
  private static final int CIFAR_STAGES = 3;

  private final TensorFile stored;

  /// The shapes by the names without what wrappers put before them.
  private final SequencedMap<String, Shape> shapes = new LinkedHashMap<>();

  private FittingNets(TensorFile stored) {
    this.stored = stored;
    for (String name : stored.names()) {
      shapes.putIfAbsent(StateDictionary.plain(name), stored.shape(name));
    }
  }

  /// The name of the weight of such layers; with weight norm it is that of their direction.
  private static Pattern weight(String layers) {
    return Pattern.compile("(?:%s)\\.weight(?:_v)?".formatted(layers));
  }

  /// Returns the nets that the file fits, with their options, the sizes of what they take and the
  /// number of their classes or characters.
  public static List<Architecture> of(TensorFile stored) {
    var nets = new FittingNets(stored);
    return Stream.of(nets.convolutional(), nets.perceptrons(), nets.recurrent(), nets.masks())
        .flatMap(List::stream)
        .toList();
  }

  private List<Architecture> convolutional() {
    var fitting = new ArrayList<Architecture.Convolutional>();
    SequencedMap<Integer, Integer> perStage = blocks();
    int blocks = perStage.values().stream().mapToInt(Integer::intValue).sum();
    for (String name : has(STEM) && has(FIRST_CONVOLUTION) ? names(perStage) : Set.<String>of()) {
      for (Shortcut shortcut : shortcuts(name)) {
        for (Norm norm : Norm.values()) {
          described(
                  () -> {
                    var options =
                        new Architecture.Options(
                            shortcut, norm, size(FIRST_CONVOLUTION, 0), null, null);
                    var net = (Architecture.Convolutional) Architecture.images(name, options);
                    return net.on(image(net.input()), size(CLASSIFIER, 0));
                  })
              .filter(net -> net.blocks() == blocks && fits(() -> net.build(Init.zeros())))
              .ifPresent(fitting::add);
        }
      }
    }
    // A net as its name has it is meant, and not a wider one that was made as narrow.
    if (fitting.stream().anyMatch(FittingNets::isOfUsualWidth)) {
      fitting.removeIf(net -> !isOfUsualWidth(net));
    }
    return List.copyOf(fitting);
  }

  private static boolean isOfUsualWidth(Architecture.Convolutional net) {
    return net.width() == Architecture.Convolutional.named(net.name()).width();
  }

  /// Returns the number of blocks of each stage by the stage's number in the file.
  private SequencedMap<Integer, Integer> blocks() {
    var blocks = new LinkedHashMap<Integer, Integer>();
    for (String name : shapes.keySet()) {
      Matcher block = BLOCK.matcher(name);
      if (block.matches()) {
        blocks.merge(
            Integer.parseInt(block.group(1)), Integer.parseInt(block.group(2)) + 1, Math::max);
      }
    }
    return blocks;
  }

  /// Returns the names of the nets with such names of tensors and as many stages, and of the CIFAR
  /// nets as many blocks.
  private Set<String> names(SequencedMap<Integer, Integer> blocks) {
    if (shapes.keySet().stream().anyMatch(name -> name.startsWith("stem."))) {
      return new LinkedHashSet<>(PreActivationPhotoNet.names());
    }
    if (blocks.size() > CIFAR_STAGES) {
      return new LinkedHashSet<>(PhotoNet.names());
    }
    int ofTwo = 6 * blocks.getOrDefault(1, 0) + 2;
    int ofThree = 9 * blocks.getOrDefault(1, 0) + 2; // convolutions in a block
    return new LinkedHashSet<>(
        List.of("resnet" + ofTwo, "plain" + ofTwo, "preresnet" + ofTwo, "preresnet" + ofThree));
  }

  private static List<Shortcut> shortcuts(String name) {
    return name.startsWith("plain")
        ? List.of(Shortcut.NONE)
        : List.of(Shortcut.A, Shortcut.B, Shortcut.C);
  }

  /// Returns the shape of the images: of the usual size, unless gains for each pixel say which.
  private ImageShape image(ImageShape usual) {
    int channels = size(STEM, 1);
    var gains = shapes.entrySet().stream().filter(e -> e.getValue().rank() == 3).findFirst();
    if (gains.isEmpty()) {
      return new ImageShape(channels, usual.height(), usual.width());
    }
    // The stem of a net for photos halves its images, and the pool behind it does so again.
    boolean photos = blocks().size() > CIFAR_STAGES;
    int factor = !photos ? 1 : gains.get().getKey().startsWith("stages.") ? 4 : 2;
    Shape shape = gains.get().getValue();
    return new ImageShape(channels, factor * small(shape.size(1)), factor * small(shape.size(2)));
  }

  private List<Architecture> perceptrons() {
    var fitting = new ArrayList<Architecture>();
    for (Norm norm : has(FIRST_HIDDEN) ? Norm.values() : new Norm[0]) {
      described(() ->
              Architecture.images(
                      Architecture.PERCEPTRON,
                      new Architecture.Options(
                          null, norm, null, size(FIRST_HIDDEN, 0), count(HIDDEN)))
                  .on(new ImageShape(1, 1, size(FIRST_HIDDEN, 1)), size(CLASSIFIER, 0)))
          .filter(net -> fits(() -> net.build(Init.zeros())))
          .ifPresent(fitting::add);
    }
    return fitting;
  }

  /// Returns the nets that read texts, which have an embedding, or images row by row.
  private List<Architecture> recurrent() {
    var fitting = new ArrayList<Architecture>();
    if (has(EMBEDDING)) {
      for (String name : Architecture.textNames()) {
        boolean windowed = name.equals(Architecture.TRANSFORMER);
        described(
                () -> {
                  Architecture.OfText net =
                      Architecture.text(
                              name, layers(size(EMBEDDING, 1), windowed ? ATTENTION : RECURRENT))
                          .withVocabulary(size(EMBEDDING, 0));
                  return windowed ? net.withWindow(size(POSITIONS, 0)) : net;
                })
            .filter(net -> fits(() -> net.build(Init.zeros())))
            .ifPresent(fitting::add);
      }
    } else if (has(FIRST_RECURRENT)) {
      for (String name : Architecture.RECURRENT) {
        described(() ->
                Architecture.images(name, layers(size(CLASSIFIER, 1), RECURRENT))
                    .on(new ImageShape(1, 1, size(FIRST_RECURRENT, 1)), size(CLASSIFIER, 0)))
            .filter(net -> fits(() -> net.build(Init.zeros())))
            .ifPresent(fitting::add);
      }
    }
    return fitting;
  }

  private Architecture.Options layers(int hidden, Pattern each) {
    return new Architecture.Options(null, null, null, hidden, count(each));
  }

  private List<Architecture> masks() {
    var fitting = new ArrayList<Architecture>();
    for (String name : has(FIRST_OF_MASKS) ? Architecture.masksNames() : List.<String>of()) {
      for (Norm norm : Norm.values()) {
        described(
                () -> {
                  var options =
                      new Architecture.Options(null, norm, size(STEM, 0), null, count(DOWN));
                  Architecture.OfMasks net = Architecture.masks(name, options);
                  ImageShape usual = net.input();
                  return net.on(
                      new ImageShape(size(STEM, 1), usual.height(), usual.width()),
                      size(CLASSIFIER, 0));
                })
            .filter(net -> fits(() -> net.build(Init.zeros())))
            .ifPresent(fitting::add);
      }
    }
    return fitting;
  }

  private boolean has(Pattern name) {
    return shapes.keySet().stream().anyMatch(each -> name.matcher(each).matches());
  }

  private int count(Pattern name) {
    return (int) shapes.keySet().stream().filter(each -> name.matcher(each).matches()).count();
  }

  /// Returns a size of the first tensor with such a name, 0 if there is none that can be.
  private int size(Pattern name, int axis) {
    return shapes.entrySet().stream()
        .filter(each -> name.matcher(each.getKey()).matches())
        .map(each -> each.getValue().rank() <= axis ? 0 : small(each.getValue().size(axis)))
        .findFirst()
        .orElse(0);
  }

  private static int small(long size) {
    return size < 1 << 20 ? (int) size : 0;
  }

  private static <N extends Architecture> Optional<N> described(Supplier<N> net) {
    try {
      return Optional.of(net.get());
    } catch (IllegalArgumentException e) { // this net does not exist
      return Optional.empty();
    }
  }

  private boolean fits(Supplier<Node> net) {
    try (var _ = Scope.ofShapes()) {
      SequencedMap<String, Shape> wanted = new LinkedHashMap<>();
      net.get().state().forEach((path, param) -> wanted.put(path, param.value().shape()));
      return WeightNames.fit(stored, wanted);
    } catch (IllegalArgumentException | ArithmeticException e) { // its sizes cannot be
      return false;
    }
  }
}
