package fathom.lab;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A row of the project's table of claims, and where its quantities are measured.
///
/// @param measured an experiment and the beginnings of its quantities' names; what follows in a
///   name may differ between sizes
/// @param note why a bound is not the table's, or what a miss means; may be empty
record Row(String number, String claim, Map<String, List<String>> measured, String note) {
  Row(String number, String claim, String experiment, List<String> quantities, String note) {
    this(number, claim, Map.of(experiment, quantities), note);
  }

  /// The quantities of two experiments, in this order.
  static Map<String, List<String>> both(
      String first, List<String> of, String second, List<String> ofSecond) {
    var map = new LinkedHashMap<String, List<String>>();
    map.put(first, of);
    map.put(second, ofSecond);
    return map;
  }
}
