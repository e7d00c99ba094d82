package fathom.lab.edges;

import fathom.DType;
import fathom.Layer;
import fathom.Param;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.nn.BatchNorm;
import fathom.nn.Bias;
import fathom.nn.Chain;
import fathom.nn.Conv2d;
import fathom.nn.Identity;
import fathom.nn.LayerNorm;
import fathom.nn.RmsNorm;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/// A layer of twelve random 3×3 filters, eight of which respond only to differences, and the norms
/// behind it, all in float64 and without gains.
final class RandomFilters {
  static final int CHANNELS = 12;
  private static final int DIFFERENCES = 8;

  /// The standard deviation of a drawn bias before a norm.
  private static final double BIAS = 0.3;

  private RandomFilters() {}

  /// Returns the filters, N×1×S×S to N×12×S×S. They are linear and without bias, so that c·x
  /// becomes c·a.
  static Layer filters(long seed) {
    RandomKey key = RandomKey.of(seed, "filters");
    double[] weights = new double[CHANNELS * 9];
    for (int c = 0; c < CHANNELS; c++) {
      double mean = 0;
      for (int i = 0; i < 9; i++) {
        weights[9 * c + i] = key.normal(9L * c + i);
        mean += weights[9 * c + i] / 9;
      }
      for (int i = 0; i < 9 && c < DIFFERENCES; i++) {
        weights[9 * c + i] -= mean;
      }
    }
    try (var scope = Scope.open()) {
      Tensor lying = Tensor.of(weights, CHANNELS, 1, 3, 3).channelsLast();
      return new Conv2d(Param.of(scope.keep(lying)), 1, 1);
    }
  }

  /// Returns a drawn bias for each channel, because the bias of [Bias] starts at 0.
  static Layer bias(long seed) {
    double[] values = new double[CHANNELS];
    RandomKey key = RandomKey.of(seed, "bias before the norm");
    for (int c = 0; c < CHANNELS; c++) {
      values[c] = BIAS * key.normal(c);
    }
    return new Bias(Param.of(Tensor.of(values, CHANNELS)));
  }

  /// Returns the layers that are compared between the filters and the rectifier, by their names.
  static SequencedMap<String, Layer> norms(long seed, int side) {
    Layer bias = bias(seed);
    Layer layer = LayerNorm.plain(CHANNELS, side, side);
    Layer position = LayerNorm.ofPosition(CHANNELS).plain();
    Layer rms = RmsNorm.plain(CHANNELS, side, side);
    BatchNorm batch = BatchNorm.of(CHANNELS);
    for (Param param : batch.state().values()) {
      param.convert(DType.FLOAT64);
    }
    var norms = new LinkedHashMap<String, Layer>();
    norms.put("no norm", new Identity());
    norms.put("layer norm", layer);
    norms.put("bias, layer norm", Chain.of(bias, layer));
    norms.put("layer norm per position", position);
    norms.put("bias, layer norm per position", Chain.of(bias, position));
    norms.put("RMS norm", rms);
    norms.put("bias, RMS norm", Chain.of(bias, rms));
    norms.put("batch norm", batch);
    return norms;
  }

  /// Returns the elements of each image of N×C×H×W.
  static double[][] perImage(Tensor x) {
    double[] all = x.toDoubles();
    int count = (int) x.shape().size(0);
    double[][] rows = new double[count][all.length / count];
    for (int i = 0; i < count; i++) {
      System.arraycopy(all, i * rows[i].length, rows[i], 0, rows[i].length);
    }
    return rows;
  }
}
