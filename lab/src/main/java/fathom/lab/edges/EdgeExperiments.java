package fathom.lab.edges;

import fathom.lab.ledger.Experiment;
import java.util.List;

/// What layer norm does to the outlines of objects.
public final class EdgeExperiments {
  private EdgeExperiments() {}

  /// In the order in which they tell the story.
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
