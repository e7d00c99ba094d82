// Masks have a label for every pixel. This net finds the outlines of circles and squares in noisy
// images, which are drawn into memory; it is an encoder and a decoder with shortcuts across.
package fathom.examples;

import fathom.RandomKey;
import fathom.data.*;
import fathom.net.MaskNet;
import fathom.optim.Schedule;
import fathom.task.mask.Masks;
import fathom.train.Trainer;
import java.util.List;
import java.util.stream.IntStream;

final class Outlines {
  private static final int SIDE = 32;

  static MaskImage image(int i) {
    RandomKey key = RandomKey.of(i, "shape");
    boolean round = i % 2 == 0;
    int centre = 12 + key.below(0, 8);
    int radius = 4 + key.below(1, 6);
    var pixels = new byte[SIDE * SIDE];
    var mask = new byte[SIDE * SIDE];
    for (int p = 0; p < mask.length; p++) {
      int down = Math.abs(p / SIDE - 16);
      int right = Math.abs(p % SIDE - centre);
      double out = (round ? Math.hypot(down, right) : Math.max(down, right)) - radius;
      mask[p] = (byte) (Math.abs(out) <= 0.5 ? 1 : 0);
      pixels[p] = (byte) Math.clamp((out < 0 ? 140 : 100) + 15 * key.normal(p), 0, 255);
    }
    return new MaskImage("shape " + i, 1, SIDE, SIDE, pixels, mask);
  }

  static List<MaskImage> images(int from, int to) {
    return IntStream.range(from, to).mapToObj(Outlines::image).toList();
  }

  static void main() {
    var data = new MaskSet("shapes", List.of("ground", "outline"), images(0, 64), images(64, 80));
    var net = MaskNet.of(data.channels(), 2).withLevels(2).withWidth(8);
    var task = Masks.of(data).side(SIDE).multiple(net.multiple()).tolerance(1);
    var trained =
        Trainer.of(net::build, task).schedule(Schedule.cosine(0.01)).epochs(8).batch(8).fit();
    IO.println("outlines: IoU and F in percent: " + trained.test());
  }
}
