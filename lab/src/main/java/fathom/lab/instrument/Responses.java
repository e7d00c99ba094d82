package fathom.lab.instrument;

import fathom.Layer;
import fathom.Tensor;
import fathom.nn.BatchNorm;
import fathom.nn.Watched;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The standard deviation of the output of each batch norm of a net, over examples, channels and
/// pixels: the layer responses of the residual paper's figure 7 (He et al. 2016), from the input
/// on.
///
/// @param paths the paths of the batch norms in their net
/// @param standardDeviations a standard deviation for each batch norm
public record Responses(List<String> paths, double[] standardDeviations) {
  /// Computes the responses from the weights alone. Channel c has mean βc and standard deviation
  /// |γc| under the statistics of its own batch, so the standard deviation over all channels is
  /// √(mean γ² + var β). The cost is one pass over the gains and biases.
  public static Responses ofWeights(Layer net) {
    var paths = new ArrayList<String>();
    var standardDeviations = new ArrayList<Double>();
    var _ =
        Layer.map(
            net,
            (path, layer) -> {
              if (layer instanceof BatchNorm norm) {
                double squares =
                    Arrays.stream(norm.weight().value().toDoubles())
                        .map(g -> g * g)
                        .average()
                        .orElse(0);
                double spread = standardDeviation(norm.bias().value().toDoubles());
                paths.add(path);
                standardDeviations.add(Math.sqrt(squares + spread * spread));
              }
              return layer;
            });
    return of(paths, standardDeviations);
  }

  /// Measures the responses to a batch in prediction, with running statistics. The cost is one
  /// prediction.
  public static Responses of(Layer net, Tensor x) {
    var paths = new ArrayList<String>();
    var standardDeviations = new ArrayList<Double>();
    var _ =
        Watched.leaves(
                net,
                new Watched.Observer() {
                  @Override
                  public void value(String path, Layer layer, Tensor y) {
                    if (layer instanceof BatchNorm) {
                      paths.add(path);
                      standardDeviations.add(standardDeviation(y.toDoubles()));
                    }
                  }
                })
            .predict(x);
    return of(paths, standardDeviations);
  }

  /// Returns the mean over the batch norms; NaN if there are none.
  public double mean() {
    return Arrays.stream(standardDeviations).average().orElse(Double.NaN);
  }

  private static Responses of(List<String> paths, List<Double> standardDeviations) {
    return new Responses(
        List.copyOf(paths), standardDeviations.stream().mapToDouble(d -> d).toArray());
  }

  private static double standardDeviation(double[] x) {
    double mean = Arrays.stream(x).average().orElse(0);
    return Math.sqrt(Arrays.stream(x).map(d -> (d - mean) * (d - mean)).average().orElse(0));
  }
}
