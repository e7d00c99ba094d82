package fathom.run;

import fathom.Layer;
import fathom.Shape;
import fathom.data.Data;
import fathom.data.DataSet;
import fathom.data.Decoders;
import fathom.data.ImageReadOptions;
import fathom.data.LabelledImages;
import fathom.data.Normalization;
import fathom.data.Origin;
import fathom.data.Photos;
import fathom.net.Architecture;
import fathom.net.ImageShape;
import fathom.net.Mlp;
import fathom.net.RowNet;
import fathom.nn.BatchNorm;
import fathom.nn.Init;
import fathom.nn.Recompute;
import fathom.optim.Schedule;
import fathom.task.ClassBalance;
import fathom.task.ImageClassification;
import fathom.train.Precision;
import fathom.train.Recording;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The kind of runs that learn the classes of images.
final class ImageRuns implements Kind {
  /// The least depth at which the residual paper warms up (section 4.2).
  private static final int WARM_UP_DEPTH = 110;

  private static final List<Double> DIVIDED = List.of(0.6, 0.85);
  private static final double RATE = 0.1;

  /// The learning rate of weights that are fine-tuned, with batches of 256, if the classifier is
  /// new, and if it is kept: such weights know the task already, and larger steps undo that.
  private static final double TUNED_RATE = 0.1;

  private static final double KEPT_RATE = 0.01;

  /// Of how many epochs a fine-tuning on little data is.
  private static final int TUNED_EPOCHS = 10;

  /// A new classifier has everything to learn, and few images are few steps: for fewer than this it
  /// begins fitted, and they come in batches of this many, at the learning rate of those of usual
  /// size. A classifier that is kept needs no more steps.
  private static final int FEW = 500;

  private static final int FEW_BATCH = 16;

  /// The number of photos of a batch.
  private static final int PHOTOS = 32;

  /// Data with fewer training images than this is trained for more epochs in smaller batches.
  private static final int SMALL = 10_000;

  @Override
  public String name() {
    return "images";
  }

  @Override
  public boolean reads(String spec) {
    return true;
  }

  @Override
  public boolean learns(Data data) {
    return data instanceof DataSet;
  }

  @Override
  public boolean learns(String model, int window) {
    return window == 0;
  }

  @Override
  public Architecture.OfClasses architecture(String model, Architecture.Options options) {
    return Architecture.images(model, options);
  }

  @Override
  public ImageReadOptions reading(Architecture net, ImageReadOptions how, @Nullable Integer side) {
    int usual = net instanceof Architecture.OfClasses of ? of.photos() : 0;
    return how.of(side == null ? usual : side, ImageReadOptions.Split.ALL_BY_NAME);
  }

  @Override
  public boolean hasSize(Data read) {
    return images(read).train() instanceof Photos;
  }

  private static DataSet images(Data data) {
    if (data instanceof DataSet images) {
      return images;
    }
    throw new IllegalArgumentException("images are needed, but %s are none".formatted(data.name()));
  }

  @Override
  public Recipe usual(Architecture net, Data data, long seed, int workers) {
    DataSet images = images(data);
    boolean small = images.train().count() < SMALL;
    int epochs = small ? 20 : 10;
    return switch (net) {
      case Architecture.Convolutional deep -> {
        boolean photos = images.train() instanceof Photos;
        int batch = photos ? PHOTOS : small ? 64 : 128;
        double learningRate = photos ? RATE * PHOTOS / 256 : RATE;
        yield convolutional(
            deep,
            images,
            Sampling.of(epochs, batch),
            Optimization.sgd(learningRate, DIVIDED),
            seed,
            workers);
      }
      case Mlp _ -> dense(net, images, epochs, Optimization.adam(1e-3, DIVIDED), seed, workers);
      case RowNet _ ->
          dense(net, images, epochs, Optimization.adam(1e-3, DIVIDED).withClip(1), seed, workers);
      default ->
          throw new IllegalArgumentException(
              "%s learns no images, but %s are some".formatted(net.name(), data.name()));
    };
  }

  /// The recipe of a short training that begins with trained weights; see [Recipe#finetune].
  static Recipe finetune(Architecture net, Data data, FineTuning from, long seed, int workers) {
    Recipe usual = new ImageRuns().usual(net, data, seed, workers);
    int count = images(data).train().count();
    boolean small = count < SMALL;
    int batch = small ? Math.min(PHOTOS, usual.batch()) : usual.batch();
    boolean few = from.newHead() && count < FEW;
    Recipe shorter =
        usual
            .with(from.fittingHead(few))
            .withBatch(few ? Math.min(FEW_BATCH, batch) : batch)
            .withEpochs(small ? TUNED_EPOCHS : TUNED_EPOCHS / 2);
    double full = from.newHead() ? TUNED_RATE : KEPT_RATE;
    boolean bySgd = shorter.optimization().update().optimizer() == Optimization.Method.SGD;
    return shorter
        .optimized(of ->
            of.withRate(bySgd ? full * batch / 256 : full / 100)
                .withCurve(Optimization.Curve.COSINE))
        .warmedUp(Recipe.FINETUNE_WARM_UP, data);
  }

  private static Recipe dense(
      Architecture net,
      DataSet images,
      int epochs,
      Optimization optimization,
      long seed,
      int workers) {
    return recipe(
        net,
        images,
        Sampling.of(epochs, 128),
        optimization,
        Preprocessing.plain(images.train()),
        seed,
        workers);
  }

  private static Recipe convolutional(
      Architecture.Convolutional net,
      DataSet images,
      Sampling sampling,
      Optimization optimization,
      long seed,
      int workers) {
    Preprocessing preprocessing = Preprocessing.usual(images.train(), false);
    boolean deep = He2015.isForCifar(net) && net.depth() >= WARM_UP_DEPTH;
    return recipe(
        net,
        images,
        sampling,
        optimization.withWarmUp(deep ? Schedule.WARM_UP_STEPS : 0),
        preprocessing,
        seed,
        workers);
  }

  private static Recipe recipe(
      Architecture net,
      DataSet images,
      Sampling sampling,
      Optimization optimization,
      Preprocessing preprocessing,
      long seed,
      int workers) {
    LabelledImages validation = images.validation();
    return Recipe.of(
        net,
        images.name(),
        validation == null ? sampling : sampling.withValidation(validation.count()),
        optimization,
        preprocessing,
        seed,
        workers);
  }

  @Override
  public void check(
      Architecture net,
      Sampling sampling,
      Optimization optimization,
      Preprocessing preprocessing,
      Execution execution,
      Recording recording) {
    boolean convolutional = net instanceof Architecture.Convolutional;
    if (execution.recompute() > 0 && !convolutional) {
      throw new IllegalArgumentException(
          "`recompute` is for the blocks of resnetN and plainN, and %s has none; leave it out"
              .formatted(net.name()));
    }
    if (execution.precision() != Precision.FP32 && !convolutional) {
      throw new IllegalArgumentException(
          "`precision` bf16 is for resnetN and plainN, but the model is %s; leave it out"
              .formatted(net.name()));
    }
  }

  @Override
  public void check(Recipe recipe, Data data) {
    DataSet images = images(data);
    new ClassBalance(recipe.optimization().classWeights(), recipe.sampling().balanced())
        .check(images.classes().size());
    recipe.preprocessing().augmentation().check(images.train());
    int trained = images.judgedBy(recipe.validation(), recipe.seed()).train().count();
    if (recipe.batch() > trained) {
      throw new IllegalArgumentException(
          "a batch of %s images needs as many to train with, but there are %s; give a `batch` of at most %s, or more images"
              .formatted(recipe.batch(), trained, trained));
    }
    SingleValues.check(recipe, images, trained);
  }

  /// A batch has at most as many images as there are for training. If batch norm would then be over
  /// a single element in some batch, it is the largest batch with which it is not, if there is one.
  @Override
  public Recipe fitted(Recipe recipe, Data data, boolean batch, boolean window) {
    if (!batch) {
      return recipe;
    }
    DataSet images = images(data);
    int count = trained(recipe, images);
    int most = Math.min(recipe.batch(), count);
    Recipe fits = recipe.withBatch(most);
    return hasSingleValues(fits, images, count) ? together(recipe, count, most) : fits;
  }

  /// The number of images to train with; at least 1, even if fewer exist than are to be held out.
  private static int trained(Recipe recipe, DataSet images) {
    int all = images.train().count();
    return images.validation() == null ? Math.max(1, all - recipe.validation()) : all;
  }

  private static boolean hasSingleValues(Recipe recipe, DataSet data, int images) {
    try {
      SingleValues.check(recipe, data, images);
      return false;
    } catch (IllegalArgumentException e) {
      return true;
    }
  }

  /// The recipe with the largest batch of at most `most` images for which no batch norm gets a
  /// single image; with `most` if there is no such batch.
  private static Recipe together(Recipe recipe, int images, int most) {
    for (int batch = most; batch > 1; batch--) {
      Recipe fits = recipe.withBatch(batch);
      if (SingleValues.fewest(fits, images) > 1) {
        return fits;
      }
    }
    return recipe.withBatch(most);
  }

  @Override
  public Recipe goingOn(Recipe recipe, RunData before, Data data) {
    DataSet images = images(data);
    LabelledImages own = images.validation();
    boolean had = before.identity().parts().stream().anyMatch(p -> p.name().equals("validation"));
    int validation = own != null ? own.count() : had ? 0 : recipe.validation();
    int left = images.train().count() - (own == null ? validation : 0);
    return recipe.with(
        recipe
            .sampling()
            .withValidation(validation)
            .withBatch(Math.clamp(left, 1, recipe.batch())));
  }

  @Override
  public Amounts amounts(Recipe recipe, Data data) {
    DataSet images = images(data);
    LabelledImages own = images.validation();
    int train = images.train().count() - (own == null ? recipe.validation() : 0);
    int test = images.test().count();
    boolean judged = recipe.validation() > 0;
    return new Amounts(
        Math.ceilDiv(train, recipe.batch()),
        train,
        judged ? recipe.validation() : test,
        train + (judged ? test + recipe.validation() : 0)); // by these a temperature is fitted
  }

  @Override
  public boolean finetunes() {
    return true;
  }

  @Override
  public boolean normalizes() {
    return true;
  }

  @Override
  public Normalization normalization(Recipe recipe, Data data) {
    Normalization own = recipe.fineTuning().normalization();
    if (own != null) {
      return own;
    }
    DataSet judged = images(data).judgedBy(recipe.validation(), recipe.seed());
    return recipe.preprocessing().normalization(judged.train());
  }

  @Override
  public Subject<Layer> subject(
      Run run, Data data, Decoders decoders, @Nullable Normalization known) {
    Recipe recipe = run.recipe();
    DataSet judged = images(data).judgedBy(recipe.validation(), recipe.seed()).decodedBy(decoders);
    return new Subject<>(
        init -> layers(run, init),
        new ImageClassification(
            judged,
            known != null ? known : normalization(recipe, data),
            recipe.preprocessing().augmentation(),
            recipe.precision().type(),
            recipe.optimization().smoothing(),
            new ClassBalance(recipe.optimization().classWeights(), recipe.sampling().balanced()),
            recipe.preprocessing().variation().mixing()));
  }

  /// The net in the form that the recipe's execution asks for.
  private static Layer layers(Run run, Init init) {
    Recipe recipe = run.recipe();
    Layer net = run.imageNet(init);
    Layer normed =
        recipe.execution().shardStatistics()
            ? Layer.map(
                net, (_, layer) -> layer instanceof BatchNorm norm ? norm.ofShards() : layer)
            : net;
    return recipe.recompute() > 0 ? Recompute.every(recipe.recompute(), normed) : normed;
  }

  @Override
  public void check(List<String> classes, List<Integer> input) {
    if (classes.isEmpty() || input.size() != 3 || input.stream().anyMatch(size -> size < 1)) {
      throw new IllegalArgumentException(
          "a run about images has classes and their size, but has %s and %s"
              .formatted(classes.size(), input));
    }
    var _ = new ImageShape(input.get(0), input.get(1), input.get(2));
  }

  @Override
  public DataSet open(Run run, String spec, ImageReadOptions how) {
    return DataSet.open(
        spec, how.of(run.recipe().preprocessing().size(), run.info().data().split()));
  }

  @Override
  public Data openForTests(Run run, String spec, ImageReadOptions how) {
    ImageShape images = run.input();
    return open(
        run, spec, how.forTests(Shape.of(images.channels(), images.height(), images.width())));
  }

  @Override
  public Data unseen(Run run, Data data) {
    return ImageList.unseen(run.images(), images(data));
  }

  @Override
  public @Nullable Origin origin(Recipe recipe, Data data) {
    Origin origin = images(data).originJudgedBy(recipe.validation(), recipe.seed());
    return origin != null && origin.hasFiles() ? origin : null;
  }

  @Override
  public Wording wording() {
    return new ImageWording();
  }
}
