package fathom.lab.reading;

import java.util.List;

/// A text and a question with a blank about it (Hermann et al. 2015, section 2): names are markers
/// `@entityN`, so that nothing can be known of them but what the text says.
///
/// @param question words with [#BLANK] among them
/// @param answer the marker that belongs in the blank
record Cloze(List<String> document, List<String> question, String answer) {
  static final String BLANK = "@placeholder";

  private static final String MARKER = "@entity";

  /// Throws `IllegalArgumentException` if there is no blank, or the answer does not stand in the
  /// document.
  Cloze {
    document = List.copyOf(document);
    question = List.copyOf(question);
    if (!question.contains(BLANK)) {
      throw new IllegalArgumentException(
          "a question has a %s, but this one is \"%s\""
              .formatted(BLANK, String.join(" ", question)));
    }
    if (!isMarker(answer) || !document.contains(answer)) {
      throw new IllegalArgumentException(
          "an answer is a marker %sN that stands in the document, but this one is \"%s\""
              .formatted(MARKER, answer));
    }
  }

  static boolean isMarker(String word) {
    return word.startsWith(MARKER);
  }

  static String marker(int number) {
    return MARKER + number;
  }

  /// The markers of the document in the order in which they first stand there: one of them is the
  /// answer.
  List<String> entities() {
    return document.stream().filter(Cloze::isMarker).distinct().toList();
  }
}
