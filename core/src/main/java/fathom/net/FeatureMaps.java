package fathom.net;

import fathom.Layer;
import fathom.Node;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.nn.Chain;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// The outputs of a net's stages, for what sees an image at several sizes at once: detectors,
/// masks, feature pyramids (Lin et al. 2017, "Feature pyramid networks", whose C2 to C5 are those
/// of a net for photos). What follows the last stage, such as a classifier, is left out.
///
/// The maps are computed by the net's own layers, over its own parameters: what is trained through
/// the maps is trained in the net. Maps have N×C×H×W, and each stage behind the first halves H and
/// W, rounded up.
///
/// @param stages what computes the first map from the images, the second map from the first, and so
///   on, each with the name of its map
public record FeatureMaps(List<Layer.Child> stages) implements Node {
  /// Throws `IllegalArgumentException` if there is no stage.
  public FeatureMaps {
    if (stages.isEmpty()) {
      throw new IllegalArgumentException(
          "there is at least one feature map, but no stage was named");
    }
    stages = List.copyOf(stages);
  }

  /// Returns the maps of `built`, which `net` has built: `layer1` to `layer4` of a [PhotoNet],
  /// three stages of a net for CIFAR.
  public static FeatureMaps of(Architecture.Convolutional net, Layer built) {
    return of(built, net.stages());
  }

  /// Returns the outputs of the children of the chain `net` that have these names. Throws
  /// `IllegalArgumentException` if one is missing or they are not in the order of the chain.
  public static FeatureMaps of(Layer net, List<String> names) {
    var stages = new ArrayList<Layer.Child>();
    var next = new ArrayList<Layer.Child>();
    for (Layer.Child child : net.children()) {
      next.add(child);
      if (stages.size() < names.size() && child.name().equals(names.get(stages.size()))) {
        stages.add(new Layer.Child(child.name(), new Chain(next)));
        next.clear();
      }
    }
    if (!(net instanceof Chain) || stages.size() < names.size()) {
      throw new IllegalArgumentException(
          "feature maps are outputs of a chain's layers in their order, but of %s the chain has %s"
              .formatted(names, net.children().stream().map(Layer.Child::name).toList()));
    }
    return new FeatureMaps(stages);
  }

  /// The names of the maps, from the largest to the smallest.
  public List<String> names() {
    return stages.stream().map(Layer.Child::name).toList();
  }

  /// The maps of a forward pass, with the derivative of all of them.
  public record TracedMaps(SequencedMap<String, Tensor> maps, Pullback back) {
    /// Returns the map of this name. Throws `IllegalArgumentException` if there is none.
    public Tensor map(String name) {
      Tensor map = maps.get(name);
      if (map == null) {
        throw new IllegalArgumentException(
            "the feature maps are %s, but %s was asked for".formatted(maps.keySet(), name));
      }
      return map;
    }
  }

  /// Computes the cotangent of the images from those of the maps and adds the gradients of the
  /// parameters.
  @FunctionalInterface
  public interface Pullback {
    /// Returns dE/dx, the sum over the maps; a map without a cotangent has one of zero. Throws
    /// `IllegalArgumentException` if there is no cotangent, or one of a map that does not exist.
    Tensor apply(Map<String, Tensor> cotangents);
  }

  /// Runs the forward pass for training.
  public TracedMaps forward(Tensor x) {
    var maps = new LinkedHashMap<String, Tensor>();
    var traced = new ArrayList<Traced>();
    Tensor y = x;
    for (Layer.Child stage : stages) {
      Traced each = stage.layer().forward(y);
      traced.add(each);
      y = each.value();
      maps.put(stage.name(), y);
    }
    return new TracedMaps(maps, cotangents -> back(traced, cotangents));
  }

  private Tensor back(List<Traced> traced, Map<String, Tensor> cotangents) {
    List<String> names = names();
    var others = new TreeSet<>(cotangents.keySet());
    names.forEach(others::remove);
    if (cotangents.isEmpty() || !others.isEmpty()) {
      throw new IllegalArgumentException(
          "cotangents are of the maps %s, at least of one, but were given for %s"
              .formatted(names, cotangents.keySet()));
    }
    try (var scope = Scope.open()) {
      @Nullable Tensor d = null;
      for (int i = names.size() - 1; i >= 0; i--) {
        @Nullable Tensor own = cotangents.get(names.get(i));
        @Nullable Tensor sum = d == null ? own : own == null ? d : d.plus(own);
        d = sum == null ? null : traced.get(i).back(sum);
      }
      if (d == null) {
        throw new IllegalStateException("there was a cotangent");
      }
      return scope.keep(d);
    }
  }

  /// Returns the maps for prediction, by name.
  public SequencedMap<String, Tensor> predict(Tensor x) {
    var maps = new LinkedHashMap<String, Tensor>();
    Tensor y = x;
    for (Layer.Child stage : stages) {
      y = stage.layer().predict(y);
      maps.put(stage.name(), y);
    }
    return maps;
  }

  /// Stages have no names of their own, so that parameters have the paths that they have in the
  /// net.
  @Override
  public List<Part> parts() {
    return stages.stream().map(stage -> new Part("", stage.layer())).toList();
  }
}
