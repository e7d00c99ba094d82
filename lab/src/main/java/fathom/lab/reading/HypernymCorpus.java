package fathom.lab.reading;

import fathom.RandomKey;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.stream.IntStream;

/// Phrases to read, and which pairs of them train, validate and test.
///
/// One of twenty leaves of the order validates and one tests, drawn alike for all seeds. Nothing is
/// below a leaf, so a held-out phrase stands in no other pair: nothing of it is trained with, not
/// even its words.
///
/// @param train hyponyms to draw from, each with something above it
record HypernymCorpus(Hypernymy order, Phrases phrases, int[] train, Pairs valid, Pairs test) {
  private static final int ONE_OF = 20;
  private static final int FEWEST = 2;

  /// @param words the most of a phrase that are read
  /// @param vocabulary the most tokens
  /// @param held the most hyponyms to validate with, and to test with
  static HypernymCorpus of(List<Synset> synsets, int words, int vocabulary, int held) {
    Hypernymy order = Hypernymy.of(synsets);
    int[] below =
        IntStream.range(0, synsets.size()).filter(i -> order.ancestors(i).length > 0).toArray();
    int[] leaves = Arrays.stream(below).filter(order::isLeaf).toArray();
    int each = Math.max(FEWEST, leaves.length / ONE_OF);
    if (leaves.length < 3 * FEWEST) {
      throw new IllegalArgumentException(
          "%s of the synsets validate, as many test and some train, so %s must be under others and have none below them, but %s are"
              .formatted(FEWEST, 3 * FEWEST, leaves.length));
    }
    RandomKey draw = RandomKey.of(1, "held-out synsets");
    int[] drawn = Arrays.stream(draw.permutation(leaves.length)).map(i -> leaves[i]).toArray();
    var heldOut = new BitSet();
    Arrays.stream(drawn).limit(2L * each).forEach(heldOut::set);
    int most = Math.min(each, held);
    return new HypernymCorpus(
        order,
        Phrases.of(synsets, words, vocabulary, i -> !heldOut.get(i)),
        Arrays.stream(below).filter(i -> !heldOut.get(i)).toArray(),
        Pairs.each(order, Arrays.copyOf(drawn, most), draw.at(0)),
        Pairs.each(order, Arrays.copyOfRange(drawn, each, each + most), draw.at(1)));
  }

  /// The same pairs of phrases whose words stand in an order that is drawn.
  HypernymCorpus shuffled(RandomKey draw) {
    return new HypernymCorpus(order, phrases.shuffled(draw), train, valid, test);
  }

  /// So many pairs to train with and all that can be corrupted of them.
  Pairs batch(int size, RandomKey draw) {
    int[] hyponyms = new int[size];
    for (int i = 0; i < size; i++) {
      hyponyms[i] = train[draw.below(i, train.length)];
    }
    return Pairs.all(order, hyponyms, draw.at(0));
  }
}
