package fathom.lab.draw;

import fathom.FlatParams;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.lab.ledger.Notebook;
import fathom.optim.Adam;
import java.util.Arrays;
import java.util.stream.IntStream;

/// How a [DrawNet] is trained and judged: Adam at one learning rate, as many whole batches as an
/// epoch has, one draw of the latents for each image and step.
record DrawTraining(BinaryImages data, double learningRate, int epochs, int batch) {
  /// What is measured at once when a net is judged.
  private static final int JUDGED = 120;

  /// The mean bound, in nats per image, of each epoch: on the images that were trained with, as it
  /// went, and on the held-out ones at its end, always with the same latents' noise. NaN from where
  /// it was no number any more.
  record Course(double[] train, double[] heldOut) {
    double last() {
      return heldOut[heldOut.length - 1];
    }

    /// At half of the epochs.
    double half() {
      return heldOut[heldOut.length / 2 - 1];
    }

    /// The first epoch, counted from 1, at whose end the held-out bound was at most `limit`; one
    /// more than there are if none.
    int firstAtMost(double limit) {
      return IntStream.range(0, heldOut.length)
              .filter(e -> heldOut[e] <= limit)
              .findFirst()
              .orElse(heldOut.length)
          + 1;
    }
  }

  Course run(DrawNet net, long seed, Notebook note) {
    var adam = new Adam(FlatParams.of(net.params()));
    RandomKey orders = RandomKey.of(seed, "order");
    RandomKey latents = RandomKey.of(seed, "latents");
    RandomKey judging = RandomKey.of(seed, "latents held out");
    int count = data.count(data.train());
    int steps = count / batch;
    double[] train = new double[epochs];
    double[] heldOut = new double[epochs];
    Arrays.fill(heldOut, Double.NaN);
    for (int epoch = 0; epoch < epochs; epoch++) {
      int[] order = orders.at(epoch).permutation(count);
      for (int step = 0; step < steps; step++) {
        note.alive();
        try (var _ = Scope.open()) {
          int[] places = Arrays.copyOfRange(order, step * batch, (step + 1) * batch);
          Tensor noise = net.noise(latents.at(epoch).at(step), batch);
          Traced loss = net.loss(data.batch(data.train(), places), noise);
          train[epoch] += loss.value().item() / steps;
          if (!Double.isFinite(train[epoch])) {
            Arrays.fill(train, epoch, epochs, Double.NaN);
            return new Course(train, heldOut);
          }
          loss.accumulate(loss.value().zerosLike().plus(1));
          adam.step(learningRate);
        }
      }
      heldOut[epoch] = bound(net, judging, note);
    }
    return new Course(train, heldOut);
  }

  /// The mean bound on the held-out images, in nats, with one draw of the latents.
  private double bound(DrawNet net, RandomKey draw, Notebook note) {
    int count = data.count(data.test());
    double sum = 0;
    for (int from = 0; from < count; from += JUDGED) {
      note.alive();
      try (var _ = Scope.open()) {
        Tensor some = some(from);
        Tensor noise = net.noise(draw.at(from), some.shape().size(0));
        sum += net.terms(some, noise).bound().sum().item();
      }
    }
    return sum / count;
  }

  private Tensor some(int from) {
    int to = Math.min(data.count(data.test()), from + JUDGED);
    return data.batch(data.test(), IntStream.range(from, to).toArray());
  }

  /// −log p(x) in nats per held-out image by importance sampling: of each image the logarithm of
  /// the mean of p(x, z)/q(z | x) over so many draws (Burda et al. 2016, eq. 8), which in the mean
  /// lies between the bound and the truth.
  double surprise(DrawNet net, int draws, long seed, Notebook note) {
    RandomKey draw = RandomKey.of(seed, "importance");
    int count = data.count(data.test());
    double sum = 0;
    for (int from = 0; from < count; from += JUDGED) {
      int to = Math.min(count, from + JUDGED);
      double[][] weights = new double[to - from][draws];
      for (int k = 0; k < draws; k++) {
        note.alive();
        try (var _ = Scope.open()) {
          Tensor noise = net.noise(draw.at(from).at(k), to - from);
          double[] each = net.terms(some(from), noise).logWeight().toDoubles();
          for (int i = 0; i < each.length; i++) {
            weights[i][k] = each[i];
          }
        }
      }
      sum -= Arrays.stream(weights).mapToDouble(DrawTraining::logMeanExp).sum();
    }
    return sum / count;
  }

  /// log of the mean of the exponentials.
  static double logMeanExp(double[] logs) {
    double most = Arrays.stream(logs).max().orElseThrow();
    return most
        + Math.log(Arrays.stream(logs).map(l -> Math.exp(l - most)).average().orElseThrow());
  }
}
