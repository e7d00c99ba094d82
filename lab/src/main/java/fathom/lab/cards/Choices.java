package fathom.lab.cards;

import fathom.DType;
import fathom.Layer;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.blackjack.HiLo;
import fathom.blackjack.Move;
import fathom.blackjack.Rules;
import fathom.blackjack.Shoe;
import fathom.blackjack.Simulator;
import fathom.blackjack.Strategy;
import java.util.Arrays;

/// What there is to decide in a hand without splits, as numbers: 13 true counts × totals 4 to 21,
/// hard or soft, ten open cards, two cards or more; and nets and tables that decide.
///
/// A situation's number is ((count·18 + total − 4)·2 + soft)·20 + 2·(up − 1) + mayDouble, where the
/// count is the true count, rounded, from −6 to 6, at 0 to 12.
final class Choices {
  /// Stand, hit and double, in the order of a net's outputs.
  static final Move[] MOVES = {Move.STAND, Move.HIT, Move.DOUBLE};

  static final int COUNTS = 13;
  private static final int TOTALS = 18;
  static final int PER_COUNT = TOTALS * 2 * 2 * Shoe.RANKS;

  /// One place for each total and open card, then soft, may double, and the count over 6.
  static final int INPUTS = TOTALS + Shoe.RANKS + 3;

  private Choices() {}

  /// 0 to 12.
  static int count(int[] seen, int decks) {
    return Math.clamp(Math.round(HiLo.trueCount(seen, decks)), -6, 6) + 6;
  }

  static int at(int count, int total, boolean soft, int up, boolean mayDouble) {
    return ((count * TOTALS + total - 4) * 2 + (soft ? 1 : 0)) * 2 * Shoe.RANKS
        + 2 * (up - 1)
        + (mayDouble ? 1 : 0);
  }

  static boolean mayDouble(int at) {
    return at % 2 == 1;
  }

  /// Writes a situation's inputs from `from` on.
  static void write(int at, float[] x, int from) {
    Arrays.fill(x, from, from + INPUTS, 0);
    int up = at / 2 % Shoe.RANKS;
    int hand = at / (2 * Shoe.RANKS);
    x[from + hand / 2 % TOTALS] = 1;
    x[from + TOTALS + up] = 1;
    x[from + INPUTS - 3] = hand % 2;
    x[from + INPUTS - 2] = at % 2;
    x[from + INPUTS - 1] = (hand / 2 / TOTALS - COUNTS / 2) / 6f;
  }

  static Tensor inputs(int[] situations) {
    float[] x = new float[situations.length * INPUTS];
    for (int i = 0; i < situations.length; i++) {
      write(situations[i], x, i * INPUTS);
    }
    return Tensor.of(x, situations.length, INPUTS);
  }

  /// Q of each move for every situation, three numbers each.
  static double[] values(Layer net) {
    int[] all = new int[COUNTS * PER_COUNT];
    Arrays.setAll(all, i -> i);
    try (var _ = Scope.open()) {
      return net.predict(inputs(all)).to(DType.FLOAT64).toDoubles();
    }
  }

  /// The best allowed move of a situation, by its values at `from`, `from+1` and `from+2`.
  static int best(double[] q, int from, boolean mayDouble) {
    int best = q[from + 1] > q[from] ? 1 : 0;
    return mayDouble && q[from + 2] > q[from + best] ? 2 : best;
  }

  /// Plays by a table of values, for the true count that the shoe has when a round begins; 0 until
  /// one does. Counts how often its moves are those of `model`.
  static final class Player implements Strategy, Simulator.Round {
    private final Rules rules;
    private final Strategy model;
    private final byte[] moves = new byte[COUNTS * PER_COUNT];
    private int count = COUNTS / 2;
    private long made;
    private long agreed;

    Player(Rules rules, Strategy model, double[] values) {
      this.rules = rules;
      this.model = model;
      for (int at = 0; at < moves.length; at++) {
        moves[at] = (byte) best(values, 3 * at, mayDouble(at));
      }
    }

    @Override
    public void begins(int[] seen) {
      count = count(seen, rules.decks());
    }

    @Override
    public void played(int[] seen, double money) {}

    @Override
    public Move move(
        int total, boolean soft, int pair, int up, boolean mayDouble, boolean maySurrender) {
      Move move = MOVES[moves[at(count, total, soft, up, mayDouble)]];
      made++;
      agreed += move == model.move(total, soft, 0, up, mayDouble, false) ? 1 : 0;
      return move;
    }

    /// The share of its moves so far that were the model's.
    double agreement() {
      return agreed / (double) made;
    }
  }

  /// What somebody saw who made allowed moves by chance, every one as often.
  ///
  /// @param situation what there was to decide
  /// @param move what was done, as in [#MOVES]
  /// @param next the situation behind it, or −1 where the round ended with it
  /// @param money what the round came to where it ended, otherwise 0
  record Experience(int[] situation, byte[] move, int[] next, float[] money) {
    static Experience of(Rules rules, long seed, int moves) {
      var table = new Chance(rules, RandomKey.of(seed, "moves"), moves);
      var simulator = Simulator.of(rules, table);
      for (long i = 0; table.size < moves; i++) { // about one move and a half in a round
        simulator.play(seed + i * 1_000_003, moves / 2, table);
      }
      return table.experience;
    }

    int size() {
      return situation.length;
    }
  }

  private static final class Chance implements Strategy, Simulator.Round {
    private final Rules rules;
    private final RandomKey key;
    private final Experience experience;
    private int size;
    private int count = COUNTS / 2;

    /// Where the last move of this round stands, or −1.
    private int last = -1;

    Chance(Rules rules, RandomKey key, int moves) {
      this.rules = rules;
      this.key = key;
      this.experience =
          new Experience(new int[moves], new byte[moves], new int[moves], new float[moves]);
    }

    @Override
    public void begins(int[] seen) {
      count = count(seen, rules.decks());
      last = -1;
    }

    @Override
    public Move move(
        int total, boolean soft, int pair, int up, boolean mayDouble, boolean maySurrender) {
      int at = at(count, total, soft, up, mayDouble);
      if (last >= 0) {
        experience.next[last] = at;
      }
      if (size == experience.size()) {
        last = -1; // the round is played to its end, and nobody looks
        return Move.STAND;
      }
      int move = key.below(size, mayDouble ? 3 : 2);
      experience.situation[size] = at;
      experience.move[size] = (byte) move;
      experience.next[size] = -1;
      last = size++;
      return MOVES[move];
    }

    @Override
    public void played(int[] seen, double money) {
      if (last >= 0) {
        experience.money[last] = (float) money;
      }
    }
  }
}
