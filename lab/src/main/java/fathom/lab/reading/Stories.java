package fathom.lab.reading;

import fathom.RandomKey;
import java.util.ArrayList;
import java.util.List;

/// Generated stories with a question each: "@entity2 called @entity0 . @entity0 paid @entity3 .
/// ..." and "@placeholder called @entity0".
///
/// A story has rounds, in each of which everybody does something to one other and one other does
/// something to everybody. So all markers occur equally often, and by symmetry each but the one in
/// the question is as likely an answer as any other for whoever does not know which words stand
/// beside which: counting words errs on 1 − 1/(entities − 1) of the questions, however it is done.
/// The same is never done twice to one, so that there is one answer.
///
/// @param entities of each story, 3 to 40
/// @param rounds at most as many as there are verbs
record Stories(RandomKey draw, int entities, int rounds) {
  private static final List<String> VERBS =
      List.of("met", "paid", "called", "saw", "taught", "thanked");

  Stories {
    if (entities < 3 || entities > 40 || rounds < 1 || rounds > VERBS.size()) {
      throw new IllegalArgumentException(
          "a story has 3 to 40 entities and 1 to %s rounds, but was given %s and %s"
              .formatted(VERBS.size(), entities, rounds));
    }
  }

  private record Deed(int who, String verb, int whom) {}

  /// The story of an index, the same at every call.
  Cloze at(long index) {
    RandomKey own = draw.at(index);
    var deeds = new ArrayList<Deed>();
    for (int round = 0; round < rounds; round++) {
      int[] circle = own.at(round).permutation(entities);
      for (int i = 0; i < entities; i++) {
        int whom = circle[(i + 1) % entities];
        int verb = (round + own.at(-1).below(whom, VERBS.size())) % VERBS.size();
        deeds.add(new Deed(circle[i], VERBS.get(verb), whom));
      }
    }
    int[] order = own.at(rounds).permutation(deeds.size());
    var words = new ArrayList<String>();
    for (int i : order) {
      Deed deed = deeds.get(i);
      words.addAll(List.of(Cloze.marker(deed.who), deed.verb, Cloze.marker(deed.whom), "."));
    }
    Deed asked = deeds.get(own.below(0, deeds.size()));
    return new Cloze(
        words, List.of(Cloze.BLANK, asked.verb, Cloze.marker(asked.whom)), Cloze.marker(asked.who));
  }
}
