package fathom.infer;

import fathom.Scope;
import fathom.Shape;
import fathom.io.StateDictionary;
import fathom.io.TensorFile;
import fathom.net.Architecture;
import fathom.net.ImageShape;
import fathom.net.Norm;
import fathom.net.PhotoNet;
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
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Finds the convolutional nets whose tensors a file has: by its names and shapes, which are
/// compared with those of nets that are built without numbers, so that nothing is computed.
///
/// A plain net has the tensors of the residual net with option A, so a file may fit both.
public final class FittingNets {
  private static final Pattern BLOCK = Pattern.compile("layer(\\d+)\\.(\\d{1,4})\\..*");
  private static final Pattern HEAD =
      Pattern.compile("(fc|linear|head\\.fc|head|classifier)\\.weight");
  private static final int CIFAR_STAGES = 3;

  private final TensorFile stored;

  private FittingNets(TensorFile stored) {
    this.stored = stored;
  }

  /// Returns the nets that the file fits, with their options, number of classes and channels of
  /// images.
  public static List<Architecture.OfClasses> of(TensorFile stored) {
    return new FittingNets(stored).nets();
  }

  private List<Architecture.OfClasses> nets() {
    Shape stem = shape("conv1.weight");
    Optional<Shape> head =
        stored.names().stream()
            .filter(name -> HEAD.matcher(StateDictionary.plain(name)).matches())
            .map(stored::shape)
            .findFirst();
    if (stem == null
        || stem.rank() != 4
        || head.isEmpty()
        || head.get().rank() != 2
        || !isSmall(stem.size(0))
        || !isSmall(stem.size(1))
        || !isSmall(head.get().size(0))) {
      return List.of();
    }
    var fitting = new ArrayList<Architecture.OfClasses>();
    for (String name : names()) {
      for (Shortcut shortcut : shortcuts(name)) {
        for (Norm norm : Norm.values()) {
          var options = new Architecture.Options(shortcut, norm, (int) stem.size(0), null, null);
          net(name, options, (int) stem.size(1), (int) head.get().size(0))
              .filter(this::fits)
              .ifPresent(fitting::add);
        }
      }
    }
    return fitting;
  }

  private static boolean isSmall(long size) {
    return size > 0 && size < 1 << 20;
  }

  private @Nullable Shape shape(String plain) {
    return stored.names().stream()
        .filter(name -> StateDictionary.plain(name).equals(plain))
        .map(stored::shape)
        .findFirst()
        .orElse(null);
  }

  /// Returns the names of the nets with as many stages, and of the CIFAR nets as many blocks.
  private Set<String> names() {
    var blocks = new LinkedHashMap<Integer, Integer>();
    for (String name : stored.names()) {
      Matcher block = BLOCK.matcher(StateDictionary.plain(name));
      if (block.matches() && block.group(1).length() == 1) {
        blocks.merge(
            Integer.parseInt(block.group(1)), Integer.parseInt(block.group(2)) + 1, Math::max);
      }
    }
    if (blocks.size() > CIFAR_STAGES) {
      return new LinkedHashSet<>(PhotoNet.names());
    }
    int depth = 6 * blocks.getOrDefault(1, 0) + 2;
    return new LinkedHashSet<>(List.of("resnet" + depth, "plain" + depth));
  }

  private static List<Shortcut> shortcuts(String name) {
    return name.startsWith("plain")
        ? List.of(Shortcut.NONE)
        : List.of(Shortcut.A, Shortcut.B, Shortcut.C);
  }

  private static Optional<Architecture.OfClasses> net(
      String name, Architecture.Options options, int channels, int classes) {
    try {
      Architecture.OfClasses net = Architecture.images(name, options);
      ImageShape usual = net.input();
      return Optional.of(net.on(new ImageShape(channels, usual.height(), usual.width()), classes));
    } catch (IllegalArgumentException e) { // this net does not exist
      return Optional.empty();
    }
  }

  private boolean fits(Architecture.OfClasses net) {
    try (var _ = Scope.ofShapes()) {
      SequencedMap<String, Shape> wanted = new LinkedHashMap<>();
      net.build(Init.zeros())
          .state()
          .forEach((path, param) -> wanted.put(path, param.value().shape()));
      return WeightNames.fit(stored, wanted);
    } catch (IllegalArgumentException | ArithmeticException e) { // its sizes cannot be
      return false;
    }
  }
}
