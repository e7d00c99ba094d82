package fathom.net;

import fathom.Layer;
import fathom.Layer.Child;
import fathom.nn.Chain;
import fathom.nn.Dense;
import fathom.nn.Dropout;
import fathom.nn.Init;
import fathom.recurrent.GateNorm;
import fathom.recurrent.LastState;
import java.util.ArrayList;
import java.util.List;

/// A classifier that reads an image row by row from the top, as a sequence, and classifies by its
/// state after the last row. Its backbone is as in a [CharacterNet].
///
/// @param norm the norm inside the gates
/// @param hidden the hidden size: the units of a recurrent layer, or the width of the transformer
/// @param layers the number of recurrent layers, or of blocks of a transformer
/// @param dropout the probability with which a training step drops an activation after the last row
public record RowNet(
    String name,
    GateNorm norm,
    int hidden,
    int layers,
    ImageShape input,
    int classes,
    double dropout)
    implements Architecture.OfClasses {
  /// Throws `IllegalArgumentException` for an unknown name, a norm that contradicts the name, or a
  /// size below 1.
  public RowNet {
    Backbone backbone = Backbone.named(name);
    name = backbone.name();
    backbone.check(norm);
    if (hidden < 1
        || layers < 1
        || classes < 1
        || input.channels() < 1
        || input.height() < 1
        || input.width() < 1) {
      throw new IllegalArgumentException(
          "the sizes of a net are at least 1, but hidden, layers, classes and the image are %s, %s, %s and %s"
              .formatted(hidden, layers, classes, input));
    }
  }

  /// Returns the net of this name: one recurrent layer of 128 units, or a transformer of two blocks
  /// with width 128, for grey 28×28 images of ten classes. Throws `IllegalArgumentException` with
  /// the known names if there is none.
  public static RowNet named(String name) {
    Backbone backbone = Backbone.named(name);
    return new RowNet(
        backbone.name(),
        backbone.usualNorm(),
        128,
        backbone.transformer() ? 2 : 1,
        new ImageShape(1, 28, 28),
        10,
        0);
  }

  /// The names that [#named] accepts.
  public static List<String> names() {
    return Backbone.names();
  }

  @Override
  public Options options() {
    return new Options(null, null, null, hidden, layers, dropout);
  }

  /// Returns this net with another norm inside the gates, which must not contradict the name.
  public RowNet withGateNorm(GateNorm norm) {
    return new RowNet(name, norm, hidden, layers, input, classes, dropout);
  }

  /// Returns this net with another hidden size.
  public RowNet withHidden(int hidden) {
    return new RowNet(name, norm, hidden, layers, input, classes, dropout);
  }

  /// Returns this net with another number of layers.
  public RowNet withLayers(int layers) {
    return new RowNet(name, norm, hidden, layers, input, classes, dropout);
  }

  /// Returns this net with dropout before its classifier, with this probability.
  public RowNet withDropout(double dropout) {
    return new RowNet(name, norm, hidden, layers, input, classes, dropout);
  }

  @Override
  public RowNet on(ImageShape input, int classes) {
    return new RowNet(name, norm, hidden, layers, input, classes, dropout);
  }

  @Override
  public Layer build(Init init) {
    int row = Math.multiplyExact(input.channels(), input.width());
    var backbone =
        Backbone.named(name).buildOver(init, "body", norm, row, hidden, layers, input.height());
    var steps = new ArrayList<Child>();
    steps.add(new Child("body", new LastState(backbone, row)));
    if (dropout > 0) {
      steps.add(new Child("dropout", new Dropout(dropout, "dropout")));
    }
    steps.add(new Child("head", Dense.of(init, "head", hidden, classes)));
    return new Chain(steps);
  }
}
