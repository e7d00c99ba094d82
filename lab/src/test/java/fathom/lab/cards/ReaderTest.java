package fathom.lab.cards;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.RandomKey;
import fathom.Scope;
import fathom.recurrent.Sequences;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/// Cards in their order and cards as a set, on hands that can be counted at a glance.
class ReaderTest {
  /// Two, king, ace, six, queen, seven.
  private static final Dealt HAND = new Dealt(new int[][] {{2, 13, 1, 6, 12, 7}});

  @Test
  void aHandCountedCardByCard() {
    double[] running = {1, 0, -1, 0, -1, -1};
    double[] tens = {0, 1, 1, 1, 2, 2};
    for (int cards = 1; cards <= 6; cards++) {
      assertEquals(running[cards - 1], HAND.running(0, cards));
      assertEquals(tens[cards - 1], HAND.tens(0, cards));
    }
    assertArrayEquals(new int[] {1, 1, 0, 0, 0, 1, 1, 0, 0, 2}, HAND.seen(0, 6));
  }

  @Test
  void aCardIsAOneInThePlaceOfItsRank() {
    var two = new Dealt(new int[][] {{2, 13}, {1, 10}});
    try (var _ = Scope.open()) {
      Sequences x = two.oneHot(new int[] {1, 0}, 0, 2, 2);
      double[] expected = new double[40];
      expected[0] = 1; // first card of the second deal: an ace
      expected[10 + 1] = 1; // of the first one: a two
      expected[20 + 9] = 1;
      expected[30 + 9] = 1;
      assertArrayEquals(expected, x.values().toDoubles());
    }
  }

  @Test
  void cardsAreDealtWithoutReplacement() {
    var deck = Dealt.of(RandomKey.of(1, "deck"), 1, 20, 52);
    for (int[] cards : deck.cards()) {
      for (int rank = 1; rank <= Dealt.FACES; rank++) {
        int one = rank;
        assertEquals(4, Arrays.stream(cards).filter(c -> c == one).count());
      }
    }
    int kings = 0;
    var first = Dealt.of(RandomKey.of(2, "first"), 6, 13_000, 1);
    for (int[] cards : first.cards()) {
      kings += cards[0] == 13 ? 1 : 0;
    }
    assertEquals(1000, kings, 120); // four standard deviations
  }

  /// Of 13 cards, three aces and no queen and no king: 13·3/13 − 1 is 2.
  @Test
  void aSetIsTheSharesOfItsRanks() {
    double[] x = CardsPooled.Sets.share(new int[] {1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
    assertArrayEquals(new double[] {2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1}, x, 1e-12);
  }

  @Test
  void setsHaveOneMostFrequentRankAndTheCountThatIsLinearInThem() {
    var sets = CardsPooled.Sets.of(RandomKey.of(3, "sets"), 200, 20);
    for (int i = 0; i < 200; i++) {
      double[] x = sets.inputs()[i];
      double count = -x[0];
      for (int r = 1; r < x.length; r++) {
        count += r < 6 ? x[r] : r > 8 ? -x[r] : 0;
        assertTrue(r == sets.most()[i] || x[r] < x[sets.most()[i]]);
      }
      assertEquals(0, Arrays.stream(x).sum(), 1e-9);
      assertEquals(count / 13, sets.count()[i], 1e-9);
    }
  }
}
