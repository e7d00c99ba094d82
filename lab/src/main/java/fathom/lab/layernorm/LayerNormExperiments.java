package fathom.lab.layernorm;

import fathom.lab.ledger.Experiment;
import java.util.List;

/// The layer norm paper's claims.
public final class LayerNormExperiments {
  private LayerNormExperiments() {}

  /// In the order of the paper.
  public static List<Experiment> all() {
    return List.of(
        new RecurrentText(), new SmallBatches(), new ConvolutionalNorms(), new NormPlacement());
  }
}
