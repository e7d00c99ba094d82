package fathom.lab.instrument;

import fathom.Layer;
import fathom.nn.Residual;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;

/// The loss of a trained net without each of its parts, taken out one at a time (Veit et al. 2016,
/// section 4.1).
///
/// @param paths the paths of the parts in their net, from the input on
/// @param whole the measure of the whole net, for example its error
/// @param without the measure without each part
public record Lesion(List<String> paths, double whole, double[] without) {
  /// Cuts the branch of a residual connection, so that only its shortcut is left.
  public static final Layer.Rule BRANCHES =
      (_, layer) -> layer instanceof Residual residual ? residual.shortcut() : layer;

  /// Measures `net`, and then once for each layer that `cut` replaces by another, with only this
  /// layer replaced. The cost is one measure more than there are parts.
  ///
  /// @param net the whole net
  /// @param cut returns the replacement of a layer, or the layer itself where it is no part to cut
  /// @param measure the measure of a net
  public static Lesion of(Layer net, Layer.Rule cut, ToDoubleFunction<Layer> measure) {
    List<String> paths = parts(net, cut);
    double whole = measure.applyAsDouble(net);
    double[] without = new double[paths.size()];
    for (int i = 0; i < without.length; i++) {
      without[i] = measure.applyAsDouble(Layer.map(net, new Only(cut, i)));
    }
    return new Lesion(paths, whole, without);
  }

  /// Returns the paths of the layers that `cut` replaces.
  static List<String> parts(Layer net, Layer.Rule cut) {
    var paths = new ArrayList<String>();
    var _ =
        Layer.map(
            net,
            (path, layer) -> {
              if (!cut.apply(path, layer).equals(layer)) {
                paths.add(path);
              }
              return layer;
            });
    return List.copyOf(paths);
  }

  /// Applies a rule to only one of the layers that it replaces, chosen by number, because paths may
  /// be equal.
  private static final class Only implements Layer.Rule {
    private final Layer.Rule rule;
    private int left;

    Only(Layer.Rule rule, int number) {
      this.rule = rule;
      this.left = number;
    }

    @Override
    public Layer apply(String path, Layer layer) {
      Layer other = rule.apply(path, layer);
      return other.equals(layer) || left-- != 0 ? layer : other;
    }
  }

  /// Returns how much higher the measure is without each part.
  public double[] rises() {
    return Arrays.stream(without).map(m -> m - whole).toArray();
  }

  /// Returns the median of the rises; NaN without parts.
  public double medianRise() {
    double[] sorted = Arrays.stream(rises()).sorted().toArray();
    int n = sorted.length;
    return n == 0 ? Double.NaN : (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
  }

  /// Returns the largest of the rises; NaN without parts.
  public double largestRise() {
    return Arrays.stream(rises()).max().orElse(Double.NaN);
  }
}
