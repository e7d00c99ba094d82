package fathom.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;

import fathom.lab.ledger.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// One quantity in the records of both sizes; a size without a record of it has none. Under one
/// name it has one bound. Where the name tells the number or the data of its size, the bound is
/// that of this size.
record Quantity(@Nullable Value quick, @Nullable Value full) {
  /// Pairs values of one kind in the order in which each record has them.
  static List<Quantity> of(List<Value> quick, List<Value> full) {
    var all = new ArrayList<Quantity>();
    for (int i = 0; i < Math.max(quick.size(), full.size()); i++) {
      all.add(
          new Quantity(
              i < quick.size() ? quick.get(i) : null, i < full.size() ? full.get(i) : null));
    }
    return all;
  }

  /// The name; where it differs between the sizes, both ends of it.
  String what() {
    if (quick == null || full == null || quick.what().equals(full.what())) {
      return either().what();
    }
    String first = quick.what();
    String second = full.what();
    int same = 0;
    while (first.charAt(same) == second.charAt(same)) {
      same++;
    }
    same = first.lastIndexOf(' ', same) + 1;
    return "%s%s (quick), %s (full)"
        .formatted(first.substring(0, same), first.substring(same), second.substring(same));
  }

  /// The bound; where it differs between the sizes, that of each.
  String bound() {
    if (quick == null || full == null || quick.bound().equals(full.bound())) {
      return either().bound().toString();
    }
    assertBounded(quick, full);
    return "%s (quick), %s (full)".formatted(quick.bound(), full.bound());
  }

  /// Fails if two values have one name and two bounds.
  static void assertBounded(Value a, Value b) {
    if (a.what().equals(b.what())) {
      assertEquals(
          a.bound(),
          b.bound(),
          "\"%s\" has two bounds; measure again, or name what differs".formatted(a.what()));
    }
  }

  private Value either() {
    return Objects.requireNonNull(quick == null ? full : quick);
  }
}
