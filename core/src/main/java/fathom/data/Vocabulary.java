package fathom.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// The characters of a text, each with its place, which is its position in the list. A character is
/// a Unicode code point.
///
/// @param characters each character once, as a string of one code point
public record Vocabulary(List<String> characters) {
  /// Throws `IllegalArgumentException` if there are no characters, if one occurs twice, or if a
  /// string is not exactly one code point.
  public Vocabulary {
    characters = List.copyOf(characters);
    if (characters.isEmpty()
        || characters.stream().distinct().count() != characters.size()
        || characters.stream().anyMatch(c -> c.isEmpty() || c.codePointCount(0, c.length()) != 1)) {
      throw new IllegalArgumentException(
          "a vocabulary has at least one character, and each once, but these are " + characters);
    }
  }

  /// Returns the characters of a text in the order of their code points.
  public static Vocabulary of(int[] codePoints) {
    var characters = new ArrayList<String>();
    Arrays.stream(codePoints)
        .distinct()
        .sorted()
        .forEach(c -> characters.add(Character.toString(c)));
    return new Vocabulary(characters);
  }

  /// Returns the number of characters.
  public int size() {
    return characters.size();
  }

  /// Returns the place of each code point; −1 for one that is not in the vocabulary.
  int[] places(int[] codePoints) {
    Map<Integer, Integer> places = new HashMap<>();
    for (int i = 0; i < characters.size(); i++) {
      places.put(characters.get(i).codePointAt(0), i);
    }
    int[] found = new int[codePoints.length];
    for (int i = 0; i < found.length; i++) {
      found[i] = places.getOrDefault(codePoints[i], -1);
    }
    return found;
  }

  /// Returns the place of each character of `text`. Throws `IllegalArgumentException`, which names
  /// the unknown characters, if some are not in the vocabulary.
  public int[] encode(String text) {
    int[] codePoints = text.codePoints().toArray();
    int[] places = places(codePoints);
    var unknown = new ArrayList<String>();
    for (int i = 0; i < places.length; i++) {
      if (places[i] < 0) {
        unknown.add(show(codePoints[i]));
      }
    }
    if (!unknown.isEmpty()) {
      throw new IllegalArgumentException(
          "the net knows the %s characters of the text it was trained on, but not %s"
              .formatted(size(), unknown.stream().distinct().collect(Collectors.joining(", "))));
    }
    return places;
  }

  /// Returns the text whose characters have these places.
  public String decode(int[] places) {
    var text = new StringBuilder();
    for (int place : places) {
      text.append(characters.get(place));
    }
    return text.toString();
  }

  /// Returns a character for messages, for example `'ß' (U+00DF)`.
  static String show(int codePoint) {
    return "'%s' (U+%04X)".formatted(Character.toString(codePoint), codePoint);
  }
}
