package fathom.lab.cards;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.Layer;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.blackjack.BasicStrategy;
import fathom.blackjack.Rules;
import fathom.blackjack.Shoe;
import fathom.lab.ledger.Notebook;
import fathom.nn.Init;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The parts of the card experiments where the answer is known without them.
class CardsTest {
  private static final Notebook NOTE = new Notebook(1, () -> false);

  @Test
  void cardsAreTakenOutOfAShoeWithoutReplacement() {
    var data = Depleted.of(RandomKey.of(1, "test"), 1, 300, 4, 39);
    double[] total = data.total();
    double[] faces = data.faceCards();
    for (int i = 0; i < data.count(); i++) {
      assertTrue(total[i] >= 4 && total[i] <= 39);
      assertTrue(faces[i] <= data.tens()[i] && faces[i] <= 12);
      assertEquals(52 - total[i], data.shoe(i).cards());
    }
    assertEquals(21.5, Table.mean(total), 1.5);
    assertEquals(0.75, Table.mean(faces) / Table.mean(data.tens()), 0.03);
    var whole = Depleted.of(RandomKey.of(1, "test"), 1, 1, 52, 52);
    assertArrayEquals(Shoe.of(1).counts(), whole.seen()[0]);
    assertEquals(12, whole.faceCards()[0]);
    assertEquals(0, whole.running()[0]);
  }

  /// Three rounds of two shoes, worth 2 %, −1 % and 1 %: bets 8, 1 and 1 come to 16 % in three
  /// rounds.
  @Test
  void moneyOfRoundsWorkedByHand() {
    var sessions =
        new Sessions(new int[3][Shoe.RANKS], new int[] {0, 0, 1}, new double[] {.02, -.01, .01});
    var money = sessions.money(new double[] {8, 1, 1});
    assertEquals(100 * 0.16 / 3, money.perHundred(), 1e-12);
    // by shoes 0.15 in two rounds and 0.01 in one: off the mean of 0.16/3 a round by 0.13/3 either
    // way
    assertEquals(196 * Math.sqrt(2) * (0.13 / 3) / 3, money.half(), 1e-12);
  }

  @Test
  void sessionsAndHandsAreOfTheSeedAlone() {
    Rules rules = Rules.of(1);
    var basic = BasicStrategy.of(rules);
    var sessions = Sessions.of(rules, basic, 3, 40, NOTE);
    var hands = Hands.of(rules, basic, 3, 40);
    int shoes = 0;
    for (int i = 0; i < 40; i++) {
      int cards = Arrays.stream(sessions.seen()[i]).sum();
      shoes += cards == 0 && i > 0 ? 1 : 0;
      assertEquals(shoes, sessions.shoe()[i]);
      assertEquals(sessions.seen()[i][9] / 4f, hands.inputs()[i * Shoe.RANKS + 9]);
    }
    assertTrue(shoes > 2);
    assertArrayEquals(hands.money(), Hands.of(rules, basic, 3, 40).money());
  }

  @ParameterizedTest
  @EnumSource(Arm.class)
  void onlyNetsWithoutAnythingConstantBeforeTheirNormsCannotTellTwiceTheCards(Arm arm) {
    try (var _ = Scope.open()) {
      Layer net = arm.build(Init.he(2));
      net.state()
          .forEach((path, p) -> {
            if (path.matches("dense.\\.bias|head\\.weight")) { // as after some training
              long[] shape = p.value().shape().toArray();
              p.value().copy_(Tensor.normal(RandomKey.of(3, path), DType.FLOAT32, shape));
            }
          });
      Tensor x = Depleted.of(RandomKey.of(4, "x"), 1, 16, 8, 39).inputs(DType.FLOAT32);
      double[] once = net.predict(x).toDoubles();
      double[] twice = net.predict(x.times(2)).toDoubles();
      double gap = 0;
      for (int i = 0; i < once.length; i++) {
        gap = Math.max(gap, Math.abs(twice[i] - once[i]));
      }
      boolean blind = arm == Arm.LAYER_NORM || arm == Arm.RMS_NORM;
      assertTrue(blind ? gap < 1e-3 : gap > 1e-2, arm + ": " + gap); // ε leaves a little
    }
  }

  @Test
  void referenceUnitsPassTheCotangentOfTheRest() {
    try (var _ = Scope.open()) {
      Tensor x = Tensor.of(new double[] {1, 2, 3, 4}, 2, 2);
      var traced = new References().forward(x);
      assertArrayEquals(new double[] {1, 2, 0, 1, 3, 4, 0, 1}, traced.value().toDoubles());
      Tensor dy = Tensor.of(new double[] {1, 2, 3, 4, 5, 6, 7, 8}, 2, 4);
      assertArrayEquals(new double[] {1, 2, 5, 6}, traced.back(dy).toDoubles());
    }
  }

  @Test
  void aNetWithoutANormLearnsASumOfTheCards() {
    try (var _ = Scope.open()) {
      var data = Depleted.of(RandomKey.of(5, "sum"), 1, 512, 4, 39);
      double[] total = data.total();
      float[] inputs = new float[512 * Shoe.RANKS];
      float[] targets = new float[512];
      for (int i = 0; i < targets.length; i++) {
        targets[i] = (float) (total[i] / 10);
        for (int r = 0; r < Shoe.RANKS; r++) {
          inputs[i * Shoe.RANKS + r] = data.seen()[i][r] / 4f;
        }
      }
      Layer net = Arm.NO_NORM.build(Init.he(6));
      assertTrue(new Regression(3e-3, 64, 20).fit(net, inputs, targets, 1, NOTE));
      double[] y = Regression.predict(net, data.inputs(DType.FLOAT32));
      for (int i = 0; i < y.length; i++) {
        y[i] *= 10;
      }
      assertTrue(Table.r2(y, total) > 0.98, "R² " + Table.r2(y, total));
    }
  }
}
