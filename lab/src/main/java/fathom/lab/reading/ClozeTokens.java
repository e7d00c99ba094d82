package fathom.lab.reading;

import fathom.RandomKey;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// Words as tokens: 0 to M−1 are the markers, M is the blank, M+1 stands for every word that is not
/// known, and behind it stand the known ones.
///
/// Which marker an entity gets is drawn anew whenever a question is read (Hermann et al. 2015,
/// section 2.2), so that no marker is anybody.
///
/// @param markers M, the most entities of a text
/// @param known tokens of words
record ClozeTokens(int markers, Map<String, Integer> known) {
  /// @param entities the tokens of the markers of the document
  record Coded(int[] document, int[] question, int answer, int[] entities) {}

  /// With the most frequent words of some questions.
  static ClozeTokens of(List<Cloze> questions, int most) {
    int markers = questions.stream().mapToInt(q -> q.entities().size()).max().orElse(0);
    var counts = new WordCounts();
    for (Cloze question : questions) {
      Stream.concat(question.document().stream(), question.question().stream())
          .filter(w -> !Cloze.isMarker(w) && !w.equals(Cloze.BLANK))
          .forEach(counts::add);
    }
    Map<String, Integer> known = new HashMap<>();
    counts.mostFrequent(most).forEach(word -> known.put(word, markers + 2 + known.size()));
    return new ClozeTokens(markers, Map.copyOf(known));
  }

  /// All tokens.
  int vocabulary() {
    return markers + 2 + known.size();
  }

  /// A question whose markers are drawn. One in the question that is not in the document counts as
  /// a word that is not known. Throws `IllegalArgumentException` for more than M entities.
  Coded code(Cloze question, RandomKey draw) {
    List<String> entities = question.entities();
    if (entities.size() > markers) {
      throw new IllegalArgumentException(
          "there are tokens for %s entities, but a text has %s"
              .formatted(markers, entities.size()));
    }
    int[] order = draw.permutation(markers);
    Map<String, Integer> tokens = new HashMap<>(known);
    tokens.put(Cloze.BLANK, markers);
    for (int i = 0; i < entities.size(); i++) {
      tokens.put(entities.get(i), order[i]);
    }
    return new Coded(
        coded(question.document(), tokens),
        coded(question.question(), tokens),
        tokens.getOrDefault(question.answer(), markers),
        coded(entities, tokens));
  }

  private int[] coded(List<String> words, Map<String, Integer> tokens) {
    return words.stream().mapToInt(w -> tokens.getOrDefault(w, markers + 1)).toArray();
  }
}
