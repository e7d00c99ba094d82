package fathom.report;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/// Names and values that describe a run, such as seed, versions and machine, in the order of the
/// map.
///
/// @param entries the values by their names
public record Facts(SequencedMap<String, String> entries) implements Block {
  /// Copies the map and keeps its order.
  public Facts {
    entries = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(entries));
  }
}
