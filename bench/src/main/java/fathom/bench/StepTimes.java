package fathom.bench;

import fathom.DType;
import fathom.Layer;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.data.Epochs;
import fathom.data.Rows;
import fathom.loss.CrossEntropy;
import fathom.net.Architecture;
import fathom.net.ImageShape;
import fathom.parallel.Launch;
import fathom.parallel.Processes;
import fathom.task.EpochSession;
import fathom.task.Figures;
import fathom.task.LayerTask;
import fathom.task.Objective;
import fathom.task.Setting;
import fathom.train.Listener;
import fathom.train.Moment;
import fathom.train.Trainer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;

/// Trains a net on images that stay in memory, in one process or over those of a launcher, and
/// prints a line of JSON in rank 0: the median of the seconds of a step, and of the seconds in it
/// that went into sums over the processes. The first half of the steps is not counted.
///
/// The programs of `bench/hosts` start it in each of several hosts.
final class StepTimes {
  private static final int CLASSES = 10;
  private static final int EVALUATED = 1;

  private StepTimes() {}

  /// @param args the net, the side of its images, the batch over all processes, the workers of
  ///   each, and the steps
  static void main(String... args) {
    int side = Integer.parseInt(args[1]);
    int batch = Integer.parseInt(args[2]);
    int steps = Integer.parseInt(args[4]);
    Architecture.OfClasses net =
        Architecture.Convolutional.named(args[0]).on(new ImageShape(3, side, side), CLASSES);
    try (var _ = Scope.open();
        var processes = Processes.join(Launch.here(), Duration.ofMinutes(2))) {
      Tensor all = Tensor.normal(RandomKey.of(1, "images"), DType.FLOAT32, batch, 3, side, side);
      int[] labels = new int[batch];
      Arrays.setAll(labels, i -> i % CLASSES);
      LayerTask task = setting -> new Session(setting, all, labels, steps);
      var times = new Times(processes, steps);
      Trainer.of(net::build, task)
          .epochs(1)
          .batch(batch)
          .workers(Integer.parseInt(args[3]))
          .processes(processes)
          .listen(times)
          .fit();
      if (processes.rank() == 0) {
        IO.println(times);
      }
    }
  }

  /// One epoch of steps, all with the same batch.
  private record Session(Setting setting, Tensor images, int[] labels, int steps)
      implements EpochSession<Layer> {
    @Override
    public Epochs epochs() {
      return setting.over(steps * labels.length);
    }

    @Override
    public Objective forward(Layer net, int step) {
      Rows own = setting.share(new Rows(0, labels.length));
      Tensor x = images.narrow(0, own.from(), own.to());
      int[] of = Arrays.copyOfRange(labels, own.from(), own.to());
      return Objective.of(net, x, y -> CrossEntropy.of(y, of));
    }

    @Override
    public Figures evaluate(Layer net, Part part) {
      return Figures.of(EVALUATED, 0);
    }
  }

  private static final class Times implements Listener {
    private final Processes processes;
    private final double[] steps;
    private final double[] sums;
    private long last = System.nanoTime();
    private long exchanged;
    private int count;

    Times(Processes processes, int steps) {
      this.processes = processes;
      this.steps = new double[steps];
      this.sums = new double[steps];
    }

    @Override
    public void step(Moment now) {
      long time = System.nanoTime();
      long exchanging = processes.exchanging().toNanos();
      steps[count] = (time - last) / 1e9;
      sums[count] = (exchanging - exchanged) / 1e9;
      last = time;
      exchanged = exchanging;
      count++;
    }

    private double median(double[] all) {
      double[] counted = Arrays.copyOfRange(all, count / 2, count);
      Arrays.sort(counted);
      return counted[counted.length / 2];
    }

    @Override
    public String toString() {
      return String.format(
          Locale.ROOT, "{\"step\": %.6f, \"sums\": %.6f}", median(steps), median(sums));
    }
  }
}
