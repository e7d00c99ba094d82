package fathom.lab.reading;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// How often words stand in texts.
final class WordCounts {
  private static final Comparator<Map.Entry<String, Integer>> MOST_FREQUENT_FIRST =
      Map.Entry.<String, Integer>comparingByValue().reversed().thenComparing(Map.Entry::getKey);

  private final Map<String, Integer> counts = new HashMap<>();

  void add(String word) {
    counts.merge(word, 1, Integer::sum);
  }

  /// The most frequent words, at most `most`; of equals those first in the order of their letters.
  List<String> mostFrequent(int most) {
    return counts.entrySet().stream()
        .sorted(MOST_FREQUENT_FIRST)
        .limit(most)
        .map(Map.Entry::getKey)
        .toList();
  }
}
