// Your own task, without a data set: in every step a net sees 32 noisy measurements of each of some
// new numbers, and learns to estimate the numbers.
package fathom.examples;

import fathom.*;
import fathom.data.*;
import fathom.loss.SquaredError;
import fathom.nn.Dense;
import fathom.optim.Schedule;
import fathom.parallel.Step;
import fathom.task.*;
import fathom.train.Trainer;

record OwnTask(Setting setting) implements EpochSession<Layer> { // one worker's part
  @Override
  public Epochs epochs() {
    return setting.over(1000);
  }

  @Override
  public Objective forward(Layer net, int step) {
    RandomKey key = RandomKey.of(setting.seed(), "numbers").at(Step.current().index());
    Rows own = setting.share(epochs().batch(step));
    Tensor numbers = normal(key, own, 1);
    return Objective.of(net, measured(key, own), y -> SquaredError.of(y, numbers));
  }

  @Override
  public Figures evaluate(Layer net, Part part) {
    RandomKey key = RandomKey.of(0, part.name()); // the same in all epochs
    return setting.figures(
        500, own -> SquaredError.of(net.predict(measured(key, own)), normal(key, own, 1)));
  }

  private static Tensor measured(RandomKey key, Rows own) {
    return normal(key, own, 1).plus(normal(key, own, 32)); // N×1 + N×32
  }

  /// A row is the same for every worker that draws it.
  private static Tensor normal(RandomKey key, Rows own, int width) {
    Tensor all = Tensor.normal(key.at(width), DType.FLOAT32, own.to(), width);
    return all.narrow(0, own.from(), own.to());
  }

  static void main() {
    LayerTask task = OwnTask::new;
    var trainer = Trainer.of(init -> Dense.of(init, "0", 32, 1), task);
    IO.println("one has a loss of 0.5: " + trainer.schedule(Schedule.cosine(0.01)).fit().test());
  }
}
