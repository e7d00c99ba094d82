package fathom.lab.layernorm;

import fathom.lab.ledger.Experiment;
import java.util.List;

/// The experiments on the layer norm paper. A new experiment is a class and a line here.
public final class LayerNormExperiments {
  private LayerNormExperiments() {}

  /// Returns the experiments: first on a norm by itself, then on training, in the order of the
  /// paper.
  public static List<Experiment> all() {
    return List.of(
        new Invariances(),
        new RecurrentCells(),
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
