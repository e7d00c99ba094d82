package fathom.lab.ledger;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/// How much an experiment may cost. A finding names it, because a claim can hold at one size and
/// not at another.
public enum Size {
  /// Some steps of small nets, to see that an experiment runs. The verdict has no meaning.
  TINY,
  /// All experiments together within a quarter of an hour on two cores, with one seed each.
  QUICK,
  /// The size for evidence: wider nets, longer training, more random draws.
  FULL;

  /// Returns the one of three numbers that belongs to this size.
  public int of(int tiny, int quick, int full) {
    return switch (this) {
      case TINY -> tiny;
      case QUICK -> quick;
      case FULL -> full;
    };
  }

  @JsonValue
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
