// A net with a shortcut connection of every kind, y = branch(x) + shortcut(x). Which shortcut fits
// a branch depends on how the branch changes the shape.
package fathom.examples;

import fathom.*;
import fathom.data.DataSet;
import fathom.nn.*;
import fathom.recurrent.*;
import fathom.recurrent.Recurrent;
import fathom.task.ImageClassification;
import fathom.train.Trainer;

final class EveryShortcut {
  static Layer conv(Init init, String name, int in, int out, int stride) {
    return Chain.of(Conv2d.of(init, name, in, out, 3, stride), BatchNorm.of(out), new Relu());
  }

  static Layer net(Init init) {
    Layer inner = new Residual(conv(init, "inner", 16, 16, 1));
    Layer coarse = Chain.of(conv(init, "down", 16, 32, 2), conv(init, "up", 32, 16, 1));
    Recurrent gru = RecurrentLayer.of(init, "gru", Kind.GRU, GateNorm.LAYER, 64, 64);
    return Chain.of(
        conv(init, "in", 1, 8, 1), // N×8×8×8
        // The identity, because the shape stays.
        new Residual(conv(init, "same", 8, 8, 1)),
        // Every second pixel, and zeros for new channels: N×16×4×4.
        new Residual(conv(init, "half", 8, 16, 2), new PaddedSubsample(2, 8, 16)),
        // A projection with trained weights.
        new Residual(conv(init, "wide", 16, 16, 1), Conv2d.of(init, "projection", 16, 16, 1, 1)),
        // From a layer to several layers further on, with another shortcut inside.
        new Residual(Chain.of(conv(init, "a", 16, 16, 1), inner, conv(init, "b", 16, 16, 1))),
        // Across, from an encoder to its decoder.
        new Residual(Chain.of(coarse, new Upsample2d(2))),
        // Around a recurrent layer, then around attention and dense layers. Time steps are rows.
        new LastState(Stack.of(new RecurrentResidual(gru), Encoder.of(init, "e", 4, 64, 1, 2)), 64),
        Dense.of(init, "out", 64, 10));
  }

  static void main() {
    var task = ImageClassification.of(DataSet.open("digits"));
    var trained = Trainer.of(EveryShortcut::net, task).epochs(3).fit();
    IO.println("digits: " + trained.test());
  }
}
