package fathom.lab.reading;

import fathom.lab.ledger.Experiment;
import java.util.List;

/// The paper's claims on nets that read: a new one is a file and a line here.
public final class ReadingExperiments {
  private ReadingExperiments() {}

  /// In the order of the paper.
  public static List<Experiment> all() {
    return List.of(new OrderEmbeddings(), new AttentiveReading());
  }
}
