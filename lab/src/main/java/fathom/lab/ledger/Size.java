package fathom.lab.ledger;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/// How much an experiment may cost. A finding names it: a claim can hold at one and not at another.
public enum Size {
  /// Some steps of small nets, to see that an experiment runs. Its verdict means nothing.
  TINY,
  /// All experiments together within ten minutes on two cores.
  QUICK,
  /// For evidence: wider, longer, more draws.
  FULL;

  /// One of three by this size.
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
