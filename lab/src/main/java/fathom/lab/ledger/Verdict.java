package fathom.lab.ledger;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.List;

/// The verdict on a claim. Each seed is a replication, in which the claim holds if every value is
/// within its bound.
public enum Verdict {
  /// The claim holds for every seed.
  REPRODUCED("reproduced"),
  /// The claim holds for some seeds.
  MIXED("mixed"),
  /// The claim holds for no seed, or nothing with a bound was measured.
  NOT_REPRODUCED("not reproduced");

  private final String words;

  Verdict(String words) {
    this.words = words;
  }

  /// Returns the verdict that follows from the values, by the same rule for every experiment.
  public static Verdict of(List<Value> values) {
    var bounded = values.stream().filter(v -> v.bound().isSet()).toList();
    if (bounded.isEmpty()) {
      return NOT_REPRODUCED;
    }
    int seeds = bounded.getFirst().perSeed().size();
    int held = 0;
    for (int i = 0; i < seeds; i++) {
      int seed = i;
      held += bounded.stream().allMatch(v -> v.bound().holds(v.perSeed().get(seed))) ? 1 : 0;
    }
    return held == 0 ? NOT_REPRODUCED : held == seeds ? REPRODUCED : MIXED;
  }

  @JsonValue
  @Override
  public String toString() {
    return words;
  }
}
