package fathom.lab.draw;

import fathom.Tensor;
import fathom.nn.Dense;
import fathom.nn.Init;
import java.util.List;

/// Selective attention (Gregor et al. 2015, section 3.2): the decoder's state places a grid of
/// Gaussian [Filters] through which both the image and the error are read (eq. 27), and another one
/// through which a patch W·h is drawn (eq. 28-29).
///
/// @param height of an image, B
/// @param width of an image, A
/// @param readSide the filters of the first grid are K×K
/// @param writeSide those of the second
/// @param look from the state to the first grid's five numbers
/// @param draw to the second grid's
/// @param patch to what is drawn
record Attention(
    int height, int width, int readSide, int writeSide, Dense look, Dense draw, Dense patch)
    implements Window {
  Attention {
    if (readSide < 2 || writeSide < 2) {
      throw new IllegalArgumentException(
          "a grid of attention has at least 2×2 filters, for its spacing is that of neighbours, but reading has %s×%s and writing %s×%s"
              .formatted(readSide, readSide, writeSide, writeSide));
    }
  }

  static Attention of(Init init, int hidden, int height, int width, int readSide, int writeSide) {
    return new Attention(
        height,
        width,
        readSide,
        writeSide,
        Dense.of(init, "look", hidden, Filters.NUMBERS),
        Dense.of(init, "draw", hidden, Filters.NUMBERS),
        Dense.of(init, "patch", hidden, writeSide * writeSide));
  }

  @Override
  public int numbers() {
    return 2 * readSide * readSide;
  }

  @Override
  public Tensor read(Tensor x, Tensor error, Tensor h) {
    long n = x.shape().size(0);
    Filters grid = Filters.of(look.predict(h), readSide, height, width);
    return Tensor.concatenated(
            1,
            List.of(
                grid.read(x.reshape(n, height, width)), grid.read(error.reshape(n, height, width))))
        .reshape(n, numbers());
  }

  @Override
  public Tensor write(Tensor h) {
    long n = h.shape().size(0);
    Filters grid = Filters.of(draw.predict(h), writeSide, height, width);
    return grid.write(patch.predict(h).reshape(n, writeSide, writeSide))
        .reshape(n, (long) height * width);
  }

  @Override
  public List<Part> parts() {
    return List.of(new Part("look", look), new Part("draw", draw), new Part("patch", patch));
  }
}
