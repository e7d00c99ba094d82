package fathom.lab.reading;

import fathom.RandomKey;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.regex.Pattern;

/// What is read of each synset: its first noun and its definition, word by word, "fox terrier :
/// small lively black and white terrier formerly used to dig out foxes". Like the captions of the
/// paper it is a line of words of which most are known and some are not, and it is the order of the
/// words that says which of them names what the thing is ("terrier") and which do not ("foxes").
///
/// @param tokens of each synset
/// @param vocabulary how many tokens there are; 0 stands for every word that is not known
record Phrases(int[][] tokens, int vocabulary) {
  private static final Pattern WORD = Pattern.compile("[\\p{L}\\p{N}]+");

  /// Behind a definition stand others, and examples in quotes.
  private static final Pattern BEHIND_THE_DEFINITION = Pattern.compile("[;\"]");

  private static final String NAME_ENDS = ":";

  /// @param most the words of a phrase that are read
  /// @param vocabulary the most tokens
  /// @param seenInTraining whose words may be known
  static Phrases of(List<Synset> synsets, int most, int vocabulary, IntPredicate seenInTraining) {
    List<List<String>> phrases = synsets.stream().map(s -> words(s, most)).toList();
    var counts = new WordCounts();
    for (int i = 0; i < phrases.size(); i++) {
      if (seenInTraining.test(i)) {
        phrases.get(i).forEach(counts::add);
      }
    }
    List<String> known = counts.mostFrequent(vocabulary - 1);
    Map<String, Integer> tokenOf = new HashMap<>();
    known.forEach(word -> tokenOf.put(word, tokenOf.size() + 1));
    int[][] tokens =
        phrases.stream()
            .map(phrase -> phrase.stream().mapToInt(w -> tokenOf.getOrDefault(w, 0)).toArray())
            .toArray(int[][]::new);
    return new Phrases(tokens, known.size() + 1);
  }

  /// The first words of the name and of the definition of a synset, at most `most`.
  static List<String> words(Synset synset, int most) {
    var words = new ArrayList<String>();
    addWords(synset.words().getFirst(), words);
    words.add(NAME_ENDS);
    addWords(BEHIND_THE_DEFINITION.split(synset.gloss(), 2)[0], words);
    return List.copyOf(words.subList(0, Math.min(most, words.size())));
  }

  private static void addWords(String text, List<String> words) {
    var found = WORD.matcher(text.toLowerCase(Locale.ROOT));
    while (found.find()) {
      words.add(found.group());
    }
  }

  /// The same words of each phrase in an order that is drawn: what is left without the order.
  Phrases shuffled(RandomKey draw) {
    int[][] shuffled = new int[tokens.length][];
    for (int i = 0; i < shuffled.length; i++) {
      int[] order = draw.at(i).permutation(tokens[i].length);
      shuffled[i] = new int[order.length];
      for (int j = 0; j < order.length; j++) {
        shuffled[i][j] = tokens[i][order[j]];
      }
    }
    return new Phrases(shuffled, vocabulary);
  }

  /// Those of some synsets, in this order.
  int[][] of(int[] synsets) {
    int[][] some = new int[synsets.length][];
    for (int i = 0; i < some.length; i++) {
      some[i] = tokens[synsets[i]];
    }
    return some;
  }
}
