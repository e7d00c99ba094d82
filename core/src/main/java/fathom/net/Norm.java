package fathom.net;

import fathom.Layer;
import fathom.nn.BatchNorm;
import fathom.nn.LayerNorm;

/// Which normalization a net uses, everywhere.
public enum Norm {
  /// Per channel over the batch.
  BATCH,
  /// Per picture over channels, height and width.
  LAYER;

  Layer layer(int channels, int height, int width) {
    return switch (this) {
      case BATCH -> BatchNorm.of(channels);
      case LAYER -> LayerNorm.of(channels, height, width);
    };
  }
}
