package fathom.lab.reading;

import java.util.List;
import java.util.Locale;

/// A set of nouns with one meaning, as WordNet has it.
///
/// @param offset its name: where its line begins in the file it was published in
/// @param words the nouns, with `_` between the parts of one
/// @param hypernyms the offsets of the meanings that it is a kind or an instance of
/// @param gloss its definition, and examples in quotes behind it
record Synset(long offset, List<String> words, List<Long> hypernyms, String gloss) {
  Synset {
    words = List.copyOf(words);
    hypernyms = List.copyOf(hypernyms);
  }

  /// An offset as it is written in the file.
  static String written(long offset) {
    return String.format(Locale.ROOT, "%08d", offset);
  }
}
