package fathom.report;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/// What was run: names and values (seed, versions, machine), in the order of the map.
public record Facts(SequencedMap<String, String> entries) implements Block {
  public Facts {
    entries = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(entries));
  }
}
