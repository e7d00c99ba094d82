package fathom.train;

import fathom.Node;
import fathom.Param;
import fathom.io.Spelling;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Which layers of a net are trained, and at which part of the learning rate. It is for nets that
/// begin with trained weights: what their first layers know suits most images, and what their last
/// layers know does not.
///
/// - A frozen layer gets no update and behaves as in evaluation: batch norm uses its running
///   statistics and leaves them as they are.
/// - A linear probe trains the classifier alone. Fine-tuning that begins with one keeps more of
///   what the weights know (Kumar et al. 2022, "Fine-tuning can distort pretrained features").
/// - The layer decay X gives a layer X^d of the learning rate, where d is its distance from the
///   classifier, whose own is 0 (Howard and Ruder 2018, section 3.2, "discriminative fine-tuning").
///
/// The order of layers is that of the paths of the net's parameters ([Node#state()]), and the
/// classifier is the last layer of this order. For the layer decay, a block such as `layer1.0` is
/// one layer, and so is a convolution with the norm behind it.
///
/// @param freezeUntil the path of the first layer that is trained, such as `layer3`: everything
///   before it is frozen; empty to freeze nothing
/// @param linearProbe the number of first epochs that train the classifier alone
/// @param layerDecay X, above 0 and at most 1; 1 for one learning rate
public record Tuning(String freezeUntil, int linearProbe, double layerDecay) {
  /// All layers are trained alike.
  public static final Tuning NONE = new Tuning("", 0, 1);

  /// Throws `IllegalArgumentException` naming the component that is out of its range.
  public Tuning {
    if (linearProbe < 0) {
      throw new IllegalArgumentException(
          "`linearProbe` is 0 or more epochs, but is " + linearProbe);
    }
    if (!(layerDecay > 0 && layerDecay <= 1)) {
      throw new IllegalArgumentException(
          "`layerDecay` is above 0 and at most 1, but is " + layerDecay);
    }
  }

  /// Throws `IllegalArgumentException`, with the layers that there are, if the net has no layer
  /// `freezeUntil`.
  public void check(Node net) {
    var _ = frozen(net, linearProbe);
  }

  /// Returns the parameters and buffers that an epoch leaves as they are, compared by identity.
  ///
  /// @param epoch the epoch, counted from 0
  Set<Param> frozen(Node net, int epoch) {
    List<String> paths = List.copyOf(net.state().keySet());
    int first = first(paths, epoch < linearProbe ? head(net) : freezeUntil);
    Set<Param> frozen = Collections.newSetFromMap(new IdentityHashMap<>());
    net.state().values().stream().limit(first).forEach(frozen::add);
    return frozen;
  }

  /// Returns the path of the last layer of a net, which is the classifier of a net for classes.
  public static String head(Node net) {
    String last = net.state().lastEntry().getKey();
    return last.substring(0, Math.max(0, last.lastIndexOf('.')));
  }

  /// The position of the first path inside a layer.
  private static int first(List<String> paths, String layer) {
    if (layer.isEmpty()) {
      return 0;
    }
    for (int i = 0; i < paths.size(); i++) {
      if (paths.get(i).startsWith(layer + ".")) {
        return i;
      }
    }
    var layers = new LinkedHashSet<String>();
    for (String path : paths) {
      for (int dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1)) {
        layers.add(path.substring(0, dot));
      }
    }
    throw new IllegalArgumentException(
        "layers are frozen until a layer of the net, but it has no `freezeUntil` \"%s\"%s; its layers are %s and those inside them"
            .formatted(
                layer,
                Spelling.nearest(layer, layers)
                    .map(" (did you mean \"%s\"?)"::formatted)
                    .orElse(""),
                String.join(", ", layers.stream().filter(l -> l.indexOf('.') < 0).toList())));
  }

  /// Returns the part of the learning rate that each trained parameter of the net gets in an epoch,
  /// in their order; 0 if it is frozen.
  double[] factors(Node net, int epoch) {
    Set<Param> frozen = frozen(net, epoch);
    List<Integer> layers = layers(net);
    int last = layers.isEmpty() ? 0 : layers.getLast();
    var factors = new ArrayList<Double>();
    int i = 0;
    for (Param param : net.state().values()) {
      if (param.trained()) {
        int distance = last - layers.get(i);
        factors.add(frozen.contains(param) ? 0 : StrictMath.pow(layerDecay, distance));
      }
      i++;
    }
    return factors.stream().mapToDouble(Double::doubleValue).toArray();
  }

  /// The number of the layer of each parameter and buffer, counted from the input.
  private static List<Integer> layers(Node net) {
    var layers = new ArrayList<Integer>();
    String before = "";
    int layer = -1;
    for (Map.Entry<String, Param> entry : net.state().entrySet()) {
      String block = block(entry.getKey());
      boolean begins = entry.getValue().value().shape().rank() > 1 || isNumbered(block);
      if (!block.equals(before) && (begins || layer < 0)) {
        layer++;
        before = block;
      }
      layers.add(layer);
    }
    return layers;
  }

  /// The path up to its first number, such as `layer1.0`, or else its first name.
  private static String block(String path) {
    String[] names = path.split("\\.", -1);
    for (int i = 0; i < names.length - 1; i++) {
      if (isNumber(names[i])) {
        return String.join(".", List.of(names).subList(0, i + 1));
      }
    }
    return names[0];
  }

  private static boolean isNumbered(String block) {
    return isNumber(block.substring(block.lastIndexOf('.') + 1));
  }

  private static boolean isNumber(String name) {
    return !name.isEmpty() && name.chars().allMatch(Character::isDigit);
  }
}
