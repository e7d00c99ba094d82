package fathom.lab.edges;

import fathom.lab.ledger.Experiment;
import java.util.List;

/// The experiments on what layer norm does to the outlines of objects.
public final class EdgeExperiments {
  private EdgeExperiments() {}

  /// Returns the experiments in the order in which they are best read.
  public static List<Experiment> all() {
    return List.of(
        new EdgesVariance(),
        new EdgesDissociation(),
        new EdgesBlank(),
        new EdgesTrained(),
        new EdgesFewToMany(),
        new EdgesBsds(),
        new Remedy());
  }
}
