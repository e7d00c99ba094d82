package fathom.io;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/// Finds the name that a user may have meant who typed one that does not exist.
public final class Spelling {
  private static final int NEAR = 2;

  private Spelling() {}

  /// Returns the name that differs from `word` by the fewest letters, at most two, ignoring case
  /// and separators; the first of equally near ones. The result is empty if no name is that near.
  public static Optional<String> nearest(String word, Collection<String> names) {
    return names.stream()
        .filter(name -> distance(plain(word), plain(name)) <= NEAR)
        .min(Comparator.comparingInt(name -> distance(plain(word), plain(name))));
  }

  /// Returns a name in lower case, without hyphens, underscores and blanks.
  public static String plain(String name) {
    return name.toLowerCase(Locale.ROOT).replaceAll("[-_ ]", "");
  }

  /// Returns the least number of letters to insert, delete or replace that turns `a` into `b`.
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[b.length()];
  }
}
