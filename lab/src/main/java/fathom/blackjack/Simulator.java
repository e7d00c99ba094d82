package fathom.blackjack;

import java.util.Arrays;

/// Plays millions of rounds per second.
///
/// The shoe with index i under a seed is shuffled by random bits that are a function of seed and
/// index (SplitMix64: Steele, Lea and Flood 2014). It is shuffled card by card as cards are drawn
/// (Fisher and Yates), and a round is dealt as at a table: player, open card, player, hidden card.
/// The same seed gives the same rounds on every machine.
public final class Simulator {
  /// Receives every round.
  @FunctionalInterface
  public interface Round {
    /// Is called before a round begins, so that its player can be told what has been counted.
    ///
    /// @param seen as in [#played]
    default void begins(int[] seen) {}

    /// Is called after a round has been played.
    ///
    /// @param seen the number of cards of each rank that were seen between the last shuffle and
    ///   this round; the array is reused, so it must be read now and not kept
    /// @param money the result of the round, in first bets
    void played(int[] seen, double money);
  }

  private static final long GAMMA = 0x9E3779B97F4A7C15L;

  private final Rules rules;
  private final Strategy strategy;
  private final byte[] fresh;
  private final int cut;

  private Simulator(Rules rules, Strategy strategy, Shoe shoe, int cut) {
    this.rules = rules;
    this.strategy = strategy;
    this.fresh = new byte[shoe.cards()];
    this.cut = cut;
    int at = 0;
    for (int rank = 1; rank <= Shoe.RANKS; rank++) {
      for (int i = 0; i < shoe.count(rank); i++) {
        fresh[at++] = (byte) rank;
      }
    }
  }

  /// Returns a simulator that plays shoes of the rules' decks down to the rules' penetration.
  public static Simulator of(Rules rules, Strategy strategy) {
    return new Simulator(
        rules,
        strategy,
        Shoe.of(rules.decks()),
        (int) Math.round(52 * rules.decks() * rules.penetration()));
  }

  /// Returns a simulator that plays every round from this composition.
  ///
  /// @throws IllegalArgumentException if the shoe has fewer than 12 cards
  public static Simulator from(Shoe shoe, Rules rules, Strategy strategy) {
    Expectation.check(shoe);
    return new Simulator(rules, strategy, shoe, 0);
  }

  /// Plays `rounds` rounds and returns their mean and spread. Several threads may call it at once.
  ///
  /// @throws IllegalStateException if a round needs more cards than the shoe has, or the strategy
  ///   makes a move that is not allowed
  public Tally play(long seed, long rounds) {
    return play(seed, rounds, (_, _) -> {});
  }

  /// Plays `rounds` rounds, passes each to `round`, and returns their mean and spread.
  ///
  /// @throws IllegalStateException if a round needs more cards than the shoe has, or the strategy
  ///   makes a move that is not allowed
  public Tally play(long seed, long rounds, Round round) {
    var table = new Table();
    double sum = 0;
    double squares = 0;
    long played = 0;
    for (long shoe = 0; played < rounds; shoe++) {
      table.shuffle(seed, shoe);
      do {
        round.begins(table.seen);
        double money = table.round();
        round.played(table.seen, money);
        table.clear();
        sum += money;
        squares += money * money;
        played++;
      } while (played < rounds && table.dealt < cut && !table.again);
    }
    double mean = sum / played;
    return new Tally(played, mean, Math.sqrt(Math.max(0, squares / played - mean * mean)));
  }

  private static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  /// A shoe and the hands of one round.
  private final class Table {
    private final byte[] cards = new byte[fresh.length];
    final int[] seen = new int[Shoe.RANKS];
    private long state;

    /// The number of cards that have been dealt, and so the index of the next card.
    int dealt;

    private int end;

    /// The index of the first card of this round.
    private int begin;

    /// Whether the shoe ran out in this round, so that cards of earlier rounds are dealt again.
    boolean again;

    private final int[] total = new int[4];
    private final boolean[] ace = new boolean[4];
    private final double[] bet = new double[4];

    /// The first cards of the hands that wait after a split.
    private final int[] waiting = new int[4];

    void shuffle(long seed, long shoe) {
      System.arraycopy(fresh, 0, cards, 0, fresh.length);
      Arrays.fill(seen, 0);
      state = mix(mix(seed + GAMMA) ^ mix(shoe + GAMMA));
      dealt = 0;
      begin = 0;
      end = cards.length;
      again = false;
    }

    private int draw() {
      if (dealt == end) {
        dealAgain();
      }
      state += GAMMA;
      int j = dealt + (int) Math.unsignedMultiplyHigh(mix(state), end - dealt);
      byte card = cards[j];
      cards[j] = cards[dealt];
      cards[dealt++] = card;
      return card;
    }

    /// Shuffles the cards of earlier rounds in again; the cards on the table stay.
    private void dealAgain() {
      if (again || begin == 0) {
        throw new IllegalStateException(
            "a round needs more cards than a shoe of %s has".formatted(cards.length));
      }
      again = true;
      end = begin;
      dealt = 0;
    }

    /// Ends the round: adds its cards to those seen.
    void clear() {
      for (int i = begin; i < dealt; i++) {
        seen[cards[i] - 1]++;
      }
      begin = dealt;
    }

    double round() {
      int a = draw();
      int up = draw();
      int b = draw();
      int hidden = draw();
      boolean dealerHas = Points.blackjack(up, hidden);
      if (Points.blackjack(a, b)) {
        return dealerHas ? 0 : rules.blackjackPays();
      }
      if (dealerHas) {
        return -1;
      }
      int made = 1;
      int hands = 0;
      int queue = 0;
      boolean standing = false;
      boolean isSplit = false;
      while (true) {
        int t = a + b;
        boolean hasAce = a == 1 || b == 1;
        double stake = 1;
        boolean mayDouble = !isSplit || rules.doubleAfterSplit();
        boolean two = true;
        while (t <= 21 && !(isSplit && a == 1)) {
          int pair = two && a == b && made < rules.handsOf(a) ? a : 0;
          Move move =
              strategy.move(
                  Points.of(t, hasAce),
                  Points.soft(t, hasAce),
                  pair,
                  up,
                  two && mayDouble,
                  two && !isSplit && rules.lateSurrender());
          if (move == Move.STAND) {
            break;
          }
          if (move == Move.SURRENDER) {
            return surrendered(two && !isSplit && rules.lateSurrender());
          }
          if (move == Move.SPLIT) {
            allow(pair != 0, move);
            made++;
            waiting[queue++] = b;
            b = draw();
            isSplit = true;
            mayDouble = rules.doubleAfterSplit();
            t = a + b;
            hasAce = a == 1 || b == 1;
            continue;
          }
          if (move == Move.DOUBLE) {
            allow(two && mayDouble, move);
            stake = 2;
          }
          int card = draw();
          t += card;
          hasAce |= card == 1;
          two = false;
          if (move == Move.DOUBLE) {
            break;
          }
        }
        total[hands] = t;
        ace[hands] = hasAce;
        bet[hands++] = stake;
        standing |= t <= 21;
        if (queue == 0) {
          break;
        }
        a = waiting[--queue];
        b = draw();
      }
      return settled(hands, standing ? dealer(up, hidden) : 0);
    }

    private double surrendered(boolean may) {
      allow(may, Move.SURRENDER);
      return -0.5;
    }

    private void allow(boolean may, Move move) {
      if (!may) {
        throw new IllegalStateException(
            "the strategy's move is %s, which is not allowed here".formatted(move));
      }
    }

    /// Returns the dealer's points; 0 for a bust.
    private int dealer(int up, int hidden) {
      int t = up + hidden;
      boolean hasAce = up == 1 || hidden == 1;
      while (Points.dealerDraws(t, hasAce, rules.hitsSoft17())) {
        int card = draw();
        t += card;
        hasAce |= card == 1;
      }
      return t > 21 ? 0 : Points.of(t, hasAce);
    }

    private double settled(int hands, int dealer) {
      double money = 0;
      for (int h = 0; h < hands; h++) {
        money +=
            total[h] > 21 ? -bet[h] : bet[h] * Integer.signum(Points.of(total[h], ace[h]) - dealer);
      }
      return money;
    }
  }
}
