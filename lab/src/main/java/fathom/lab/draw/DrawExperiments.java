package fathom.lab.draw;

import fathom.lab.ledger.Experiment;
import java.util.List;

/// What layer norm does to DRAW.
public final class DrawExperiments {
  private DrawExperiments() {}

  public static List<Experiment> all() {
    return List.of(new NormedCells(false), new NormedCells(true));
  }
}
