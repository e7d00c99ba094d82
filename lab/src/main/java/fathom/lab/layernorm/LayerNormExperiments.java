package fathom.lab.layernorm;

import fathom.lab.ledger.Experiment;
import java.util.List;

/// The layer norm paper's claims: a new one is a file and a line here.
public final class LayerNormExperiments {
  private LayerNormExperiments() {}

  /// What holds of a norm by itself, then what it does in training, in the order of the paper.
  public static List<Experiment> all() {
    return List.of(
        new Invariances(),
        new HiddenDynamics(),
        new RectifierPlacement(),
        new DeadDirections(),
        new NonlinearNorm(),
        new RecurrentText(),
        new SmallBatches(),
        new ConvolutionalNorms(),
        new NormPlacement(),
        new OffPolicy());
  }
}
