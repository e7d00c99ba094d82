package fathom.run;

import fathom.data.LabelledImages;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Matches the classes of a net with those of data by their names in the Unicode form NFC, because
/// a label is only a position in a list of names.
public final class ClassMatch {
  /// The most names of a list that a message shows.
  private static final int NAMED = 12;

  private final List<String> given;
  private final int[] outputs;
  private final List<String> absent;

  private ClassMatch(List<String> given, int[] outputs, List<String> absent) {
    this.given = given;
    this.outputs = outputs;
    this.absent = absent;
  }

  /// Matches two lists of classes. Throws `IllegalArgumentException` with both lists if the net
  /// knows no class of `given`, or if a name stands for two classes of one list.
  ///
  /// @param known the classes of a net, in the order of its outputs
  /// @param given the classes of the data, in the order of its labels
  public static ClassMatch of(List<String> known, List<String> given) {
    Map<String, Integer> places = places("the net", known);
    Set<String> names = places("the data", given).keySet();
    int[] outputs =
        given.stream().mapToInt(name -> places.getOrDefault(normal(name), -1)).toArray();
    var match =
        new ClassMatch(
            List.copyOf(given),
            outputs,
            known.stream().filter(name -> !names.contains(normal(name))).toList());
    if (match.unknown().size() == given.size()) {
      throw new IllegalArgumentException(
          "none of the classes is known to the net: it knows %s, but the data has %s; classes are compared by their names"
              .formatted(shown(known), shown(given)));
    }
    return match;
  }

  /// Whether two lists have the same names in the same order.
  static boolean same(List<String> known, List<String> given) {
    return known.stream()
        .map(ClassMatch::normal)
        .toList()
        .equals(given.stream().map(ClassMatch::normal).toList());
  }

  /// Returns, for each class of `given`, its place in `known`; null if the two lists do not have
  /// the same names, or have a name twice.
  static @Nullable List<Integer> rows(List<String> known, List<String> given) {
    var places = new HashMap<String, Integer>();
    for (int i = 0; i < known.size(); i++) {
      places.put(normal(known.get(i)), i);
    }
    var rows = new ArrayList<Integer>();
    for (String name : given) {
      Integer place = places.get(normal(name));
      if (place == null) {
        return null;
      }
      rows.add(place);
    }
    boolean all = known.size() == given.size() && new HashSet<>(rows).size() == known.size();
    return all ? rows : null;
  }

  private static Map<String, Integer> places(String of, List<String> names) {
    var places = new HashMap<String, Integer>();
    for (int i = 0; i < names.size(); i++) {
      if (places.putIfAbsent(normal(names.get(i)), i) != null) {
        throw new IllegalArgumentException(
            "a name stands for one class, but two classes of %s are called %s; its classes are %s"
                .formatted(of, names.get(i), shown(names)));
      }
    }
    return places;
  }

  private static String normal(String name) {
    return Normalizer.normalize(name, Normalizer.Form.NFC);
  }

  /// Returns the names for a message: all of them, or the first 12 and the number of the others.
  public static String shown(List<String> names) {
    return names.size() <= NAMED
        ? names.toString()
        : "%s and %s more".formatted(names.subList(0, NAMED), names.size() - NAMED);
  }

  /// Returns the classes of the data that the net does not know, in the order of their labels.
  public List<String> unknown() {
    var unknown = new ArrayList<String>();
    for (int label = 0; label < outputs.length; label++) {
      if (outputs[label] < 0) {
        unknown.add(given.get(label));
      }
    }
    return unknown;
  }

  /// Returns the classes of the net that the data does not have, in the order of its outputs.
  public List<String> absent() {
    return absent;
  }

  /// Returns the images whose class the net knows, labelled by the net's outputs. Throws
  /// `IllegalArgumentException` if there are none.
  public LabelledImages of(LabelledImages images) {
    LabelledImages known = images.relabelled(outputs);
    if (known.count() == 0) {
      throw new IllegalArgumentException(
          "none of the %s images is of a class that the net knows; those that it does not know are %s"
              .formatted(images.count(), shown(unknown())));
    }
    return known;
  }

  /// Returns how many of these images are of a class that the net does not know, for each class of
  /// [#unknown()].
  public List<Integer> leftOut(LabelledImages images) {
    int[] counts = new int[outputs.length];
    for (int label : images.labels()) {
      counts[label]++;
    }
    var left = new ArrayList<Integer>();
    for (int label = 0; label < outputs.length; label++) {
      if (outputs[label] < 0) {
        left.add(counts[label]);
      }
    }
    return left;
  }

  /// Two lists of classes that differ, and their differences, for a message.
  static String both(List<String> known, List<String> given) {
    var gone = new ArrayList<>(known);
    gone.removeAll(new HashSet<>(given));
    var fresh = new ArrayList<>(given);
    fresh.removeAll(new HashSet<>(known));
    var differences = new ArrayList<String>();
    if (!gone.isEmpty()) {
      differences.add("without " + shown(gone));
    }
    if (!fresh.isEmpty()) {
      differences.add("with " + shown(fresh));
    }
    String what = differences.isEmpty() ? "in another order" : String.join(", ", differences);
    return "it knows %s, and the data has %s (%s)".formatted(shown(known), shown(given), what);
  }
}
