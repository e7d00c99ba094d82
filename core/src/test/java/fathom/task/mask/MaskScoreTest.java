package fathom.task.mask;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.loss.PixelLoss;
import org.junit.jupiter.api.Test;

class MaskScoreTest {
  private static byte[] mask(String... rows) {
    byte[] mask = new byte[rows.length * rows[0].length()];
    int at = 0;
    for (String row : rows) {
      for (int i = 0; i < row.length(); i++) {
        char c = row.charAt(i);
        mask[at++] = c == '?' ? PixelLoss.UNLABELLED : (byte) (c - '0');
      }
    }
    return mask;
  }

  @Test
  void overlapIsAsByHand() {
    var score = new MaskScore(3, 0);
    score.add(mask("0011", "0022"), mask("0001", "0222"), 2, 4);
    assertEquals(3.0 / 5, score.iou(0)); // 3 both, 4 predicted, 4 true
    assertEquals(1.0 / 2, score.iou(1));
    assertEquals(2.0 / 3, score.iou(2));
    assertEquals(100 * (3.0 / 5 + 1.0 / 2 + 2.0 / 3) / 3, score.meanIou(), 1e-12);
    assertEquals(25, score.error());
  }

  /// An outline drawn one pixel beside the true one is wrong without a tolerance and right with one
  /// of a pixel.
  @Test
  void outlinesHaveATolerance() {
    byte[] truth = mask("00100", "00100", "00100");
    byte[] beside = mask("01000", "01000", "01001");
    var strict = new MaskScore(2, 0);
    strict.add(truth, beside, 3, 5);
    assertEquals(0, strict.precision());
    assertEquals(0, strict.recall());
    assertEquals(0, strict.f());
    var tolerant = new MaskScore(2, 1);
    tolerant.add(truth, beside, 3, 5);
    assertEquals(75, tolerant.precision());
    assertEquals(100, tolerant.recall());
    assertEquals(2 * 75.0 * 100 / 175, tolerant.f(), 1e-12);
  }

  @Test
  void pixelsWithoutALabelCountNowhere() {
    var score = new MaskScore(2, 0);
    score.add(mask("01?"), mask("011"), 1, 3);
    assertEquals(100, score.precision());
    assertEquals(0, score.error());
    assertEquals(100, score.meanIou());
  }

  @Test
  void countsAdd() {
    var whole = new MaskScore(2, 1);
    var first = new MaskScore(2, 1);
    var second = new MaskScore(2, 1);
    byte[][] truth = {mask("010", "010"), mask("000", "111")};
    byte[][] predicted = {mask("001", "010"), mask("110", "000")};
    for (int i = 0; i < 2; i++) {
      whole.add(truth[i], predicted[i], 2, 3);
      (i == 0 ? first : second).add(truth[i], predicted[i], 2, 3);
    }
    for (int i = 0; i < whole.counts().length; i++) {
      first.counts()[i] += second.counts()[i];
      assertEquals(whole.counts()[i], first.counts()[i]);
    }
    assertTrue(first.f() > 0);
  }
}
