package fathom.peers;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.LambdaBlock;
import ai.djl.nn.ParallelBlock;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.pooling.Pool;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.initializer.XavierInitializer;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import java.io.IOException;
import java.util.List;

/// Times a whole training step of a CIFAR net by DJL's trainer on its PyTorch engine, on one batch
/// in memory: forward pass, cross-entropy, backward pass, and SGD with momentum 0.9 and weight
/// decay 1e-4.
///
/// The arguments are MODEL and BATCH, where MODEL is resnetN (shortcuts of option A) or plainN, N =
/// 6n+2, for 3×32×32 images. The number of threads is a property of the engine. The program fails
/// if the loss does not fall.
final class Djl {
  private static final int WARM_UP = 10;

  private Djl() {}

  public static void main(String[] args) throws IOException {
    boolean residual = args[0].startsWith("resnet");
    int depth = Integer.parseInt(args[0].replaceAll("\\D", ""));
    int batch = Integer.parseInt(args[1]);
    Engine engine = Engine.getEngine("PyTorch");
    engine.setRandomSeed(1);
    try (Model model = Model.newInstance("net", Device.cpu(), "PyTorch")) {
      model.setBlock(net(depth, residual));
      try (Trainer trainer = model.newTrainer(config());
          NDManager life = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
        trainer.initialize(new Shape(batch, 3, 32, 32));
        NDArray pictures = life.randomNormal(new Shape(batch, 3, 32, 32));
        NDArray labels = life.arange(batch).mod(10).toType(DataType.FLOAT32, false);
        double first = step(trainer, life, pictures, labels);
        double last = first;
        for (int i = 0; i < WARM_UP; i++) {
          last = step(trainer, life, pictures, labels);
        }
        if (!(last < first)) {
          throw new IllegalStateException("the loss went from " + first + " to " + last);
        }
        Orders.obey(
            Engine.getDjlVersion() + " on libtorch " + engine.getVersion(),
            () -> step(trainer, life, pictures, labels));
      }
    }
  }

  private static DefaultTrainingConfig config() {
    var descent =
        Optimizer.sgd()
            .setLearningRateTracker(Tracker.fixed(0.1f))
            .optMomentum(0.9f)
            .optWeightDecays(1e-4f)
            .build();
    var he =
        new XavierInitializer(
            XavierInitializer.RandomType.GAUSSIAN, XavierInitializer.FactorType.IN, 2);
    return new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss())
        .optOptimizer(descent)
        .optInitializer(he, Parameter.Type.WEIGHT)
        .optDevices(new Device[] {Device.cpu()});
  }

  /// Makes a step. Its intermediate arrays are freed with its manager, like those of a batch of
  /// DJL's data sets.
  private static double step(Trainer trainer, NDManager life, NDArray pictures, NDArray labels) {
    try (NDManager step = life.newSubManager()) {
      pictures.attach(step);
      labels.attach(step);
      double value;
      try (GradientCollector collector = trainer.newGradientCollector()) {
        var truth = new NDList(labels);
        NDList logits = trainer.forward(new NDList(pictures), truth);
        NDArray loss = trainer.getLoss().evaluate(truth, logits);
        collector.backward(loss);
        value = loss.getFloat();
      }
      trainer.step();
      pictures.attach(life);
      labels.attach(life);
      return value;
    }
  }

  private static Block net(int depth, boolean residual) {
    var net = new SequentialBlock().add(conv(16, 1)).add(norm()).add(Activation.reluBlock());
    int channels = 16;
    for (int width : new int[] {16, 32, 64}) {
      for (int i = 0; i < (depth - 2) / 6; i++) {
        int stride = width == channels ? 1 : 2;
        Block branch =
            new SequentialBlock()
                .add(conv(width, stride))
                .add(norm())
                .add(Activation.reluBlock())
                .add(conv(width, 1))
                .add(norm());
        net.add(residual ? sum(branch, shortcut(channels, width)) : branch);
        net.add(Activation.reluBlock());
        channels = width;
      }
    }
    return net.add(Pool.globalAvgPool2dBlock()).add(Linear.builder().setUnits(10).build());
  }

  private static Block sum(Block branch, Block shortcut) {
    return new ParallelBlock(
        values ->
            new NDList(values.get(0).singletonOrThrow().add(values.get(1).singletonOrThrow())),
        List.of(branch, shortcut));
  }

  /// Option A: every second pixel, and channels of zeros before and behind.
  private static Block shortcut(int in, int out) {
    if (in == out) {
      return Blocks.identityBlock();
    }
    long more = (out - in) / 2;
    return new LambdaBlock(
        x ->
            new NDList(
                x.singletonOrThrow()
                    .get(":, :, ::2, ::2")
                    .pad(new Shape(0, 0, 0, 0, more, more), 0)),
        "shortcut");
  }

  private static Block conv(int filters, int stride) {
    return Conv2d.builder()
        .setFilters(filters)
        .setKernelShape(new Shape(3, 3))
        .optStride(new Shape(stride, stride))
        .optPadding(new Shape(1, 1))
        .optBias(false)
        .build();
  }

  private static Block norm() {
    return BatchNorm.builder().build();
  }
}
