package fathom.lab.draw;

import fathom.Autograd;
import fathom.DType;
import fathom.Node;
import fathom.Param;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import fathom.nn.Dense;
import fathom.nn.Init;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// DRAW (Gregor et al. 2015): a variational autoencoder that draws an image in T glimpses. In each,
/// with the canvas c, the encoder sees what the window reads of the image x and of the error x̂ = x
/// − σ(c) (eq. 3-5), says where the latent z is to be, Q = N(μ, σ²) by elements (eq. 1-2, 6), and
/// the decoder, an LSTM that sees z alone, adds to the canvas (eq. 7-8). In the end a pixel is 1
/// with the probability σ(c).
///
/// Images are binary, N×(B·A) of 0 and 1, row by row. The net is made of tensor operations, and
/// `Autograd` is its way back.
///
/// @param sizes what it is built to
/// @param latent from the encoder's state to μ and log σ, Z each
/// @param canvas c before the first glimpse, 1×(B·A): learned, and 0 at first
record DrawNet(Sizes sizes, Lstm encoder, Dense latent, Lstm decoder, Window window, Param canvas)
    implements Node {
  /// @param height B, the rows of an image
  /// @param width A, its columns
  /// @param hidden H, the units of the encoder and of the decoder
  /// @param latent Z, the size of the latent of a glimpse
  /// @param glimpses T
  /// @param read the side of the grid that reads, or 0 for no attention
  /// @param write the side of the grid that draws; 0 where `read` is
  record Sizes(int height, int width, int hidden, int latent, int glimpses, int read, int write) {
    int pixels() {
      return height * width;
    }
  }

  /// With layer norm on the cells of both LSTMs or without. Both kinds have the same weights at
  /// first.
  static DrawNet of(Sizes s, boolean normed, Init init) {
    Init linear = (path, fanIn, shape) -> init.weights(path, 2 * fanIn, shape);
    Init ofWindow = linear.in("window");
    Window window =
        s.read == 0
            ? WholeImage.of(ofWindow, s.hidden, s.pixels())
            : Attention.of(ofWindow, s.hidden, s.height, s.width, s.read, s.write);
    return new DrawNet(
        s,
        Lstm.of(init, "encoder", window.numbers() + s.hidden, s.hidden, normed),
        Dense.of(linear, "latent", s.hidden, 2 * s.latent),
        Lstm.of(init, "decoder", s.latent, s.hidden, normed),
        window,
        Param.of(Tensor.zeros(DType.FLOAT32, 1, s.pixels())));
  }

  /// The bound on −log p(x) of each image, in nats, N each.
  ///
  /// @param reconstruction −log p(x | z) (eq. 9)
  /// @param divergence Σ_t KL(Q ‖ N(0, 1)) = ½·Σ_t Σ_j (μ² + σ² − log σ² − 1) (eq. 10-11)
  /// @param ratio Σ_t (log q(z) − log p(z)) of the z that were drawn, whose mean over draws is the
  ///   divergence
  record Terms(Tensor reconstruction, Tensor divergence, Tensor ratio) {
    /// The variational bound, at least −log p(x) in the mean over draws (eq. 12).
    Tensor bound() {
      return reconstruction.plus(divergence);
    }

    /// log p(x, z)/q(z | x): the mean of its exponential over draws is p(x).
    Tensor logWeight() {
      return reconstruction.plus(ratio).times(-1);
    }
  }

  /// A standard normal T×N×Z for the latents of so many images, a function of its key.
  Tensor noise(RandomKey draw, long images) {
    return Tensor.normal(draw, canvas.value().type(), sizes.glimpses, images, sizes.latent);
  }

  /// Of the images `x` with z = μ + σ⊙noise.
  Terms terms(Tensor x, Tensor noise) {
    long n = x.shape().size(0);
    Lstm.State seen = encoder.begin(n);
    Lstm.State drawn = decoder.begin(n);
    Tensor c = canvas.value().expand(Shape.of(n, sizes.pixels()));
    var means = new ArrayList<Tensor>();
    var logStandardStandardDeviations = new ArrayList<Tensor>();
    var latents = new ArrayList<Tensor>();
    for (int t = 0; t < sizes.glimpses; t++) {
      Tensor read = window.read(x, x.minus(c.sigmoid()), drawn.h());
      seen = encoder.next(Tensor.concatenated(1, List.of(read, drawn.h())), seen);
      Tensor both = latent.predict(seen.h());
      Tensor mean = both.narrow(1, 0, sizes.latent);
      Tensor logStandardStandardDeviation = both.narrow(1, sizes.latent, 2L * sizes.latent);
      Tensor z = mean.plus(logStandardStandardDeviation.exp().times(glimpse(noise, t)));
      means.add(mean);
      logStandardStandardDeviations.add(logStandardStandardDeviation);
      latents.add(z);
      drawn = decoder.next(z, drawn);
      c = c.plus(window.write(drawn.h()));
    }
    Tensor logStandardStandardDeviation = Tensor.concatenated(1, logStandardStandardDeviations);
    Tensor e = noise.permute(1, 0, 2).reshape(n, (long) sizes.glimpses * sizes.latent);
    return new Terms(
        surprise(x, c),
        divergence(Tensor.concatenated(1, means), logStandardStandardDeviation),
        ratio(Tensor.concatenated(1, latents), e, logStandardStandardDeviation));
  }

  /// KL(N(μ, σ²) ‖ N(0, 1)) of the rows of μ and log σ: N.
  static Tensor divergence(Tensor mean, Tensor logStandardStandardDeviation) {
    Tensor twice = logStandardStandardDeviation.times(2);
    return perImage(mean.square().plus(twice.exp()).minus(twice).plus(-1).times(0.5));
  }

  /// log q(z) − log p(z) = Σ (½z² − ½e² − log σ) of the rows of z = μ + σe: N.
  private static Tensor ratio(Tensor z, Tensor e, Tensor logStandardStandardDeviation) {
    return perImage(z.square().minus(e.square()).times(0.5).minus(logStandardStandardDeviation));
  }

  /// −log p(x) of pixels that are 1 with the probability σ(c): Σ log(1 + exp c) − x·c, written so
  /// that nothing overflows.
  static Tensor surprise(Tensor x, Tensor c) {
    Tensor positive = c.relu();
    Tensor small = c.minus(positive.times(2)).exp().plus(1).log(); // log(1 + exp(−|c|))
    return perImage(positive.plus(small).minus(x.times(c)));
  }

  private static Tensor perImage(Tensor each) {
    return each.sum(1).reshape(each.shape().size(0));
  }

  private static Tensor glimpse(Tensor noise, int t) {
    Shape s = noise.shape();
    return noise.narrow(0, t, t + 1).reshape(s.size(1), s.size(2));
  }

  /// The mean bound of the images, and the way back from it.
  Traced loss(Tensor x, Tensor noise) {
    return Autograd.layer(
            images -> terms(images, noise).bound().mean(0), params().toArray(Param[]::new))
        .forward(x);
  }

  /// The canvas c that the latents `noise`, drawn from the prior, come to, N×(B·A): log-odds of the
  /// pixels (section 2.4).
  Tensor generate(Tensor noise) {
    try (var scope = Scope.open()) {
      long n = noise.shape().size(1);
      Lstm.State drawn = decoder.begin(n);
      Tensor c = canvas.value().expand(Shape.of(n, sizes.pixels()));
      for (int t = 0; t < sizes.glimpses; t++) {
        drawn = decoder.next(glimpse(noise, t), drawn);
        c = c.plus(window.write(drawn.h()));
      }
      return scope.keep(c);
    }
  }

  @Override
  public Map<String, Param> own() {
    return Map.of("canvas", canvas);
  }

  @Override
  public List<Part> parts() {
    return List.of(
        new Part("encoder", encoder),
        new Part("latent", latent),
        new Part("decoder", decoder),
        new Part("window", window));
  }
}
