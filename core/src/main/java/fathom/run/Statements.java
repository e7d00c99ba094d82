package fathom.run;

import fathom.data.DataSet;
import fathom.data.Photos;
import fathom.net.Architecture;
import fathom.run.PublishedRecipe.Statement;
import fathom.run.PublishedRecipe.Statement.Setting;
import fathom.train.Precision;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Collectors;

/// What recipes state in the same form: each a [Statement] with the words for what a run has.
final class Statements {
  private Statements() {}

  static Statement batch(int batch) {
    return new Statement(
        "batch",
        counted(batch),
        (recipe, data) -> recipe.withBatch(batch),
        info -> counted(info.recipe().batch()));
  }

  static Statement sgd(double momentum) {
    return new Statement(
        "optimizer",
        "SGD with momentum " + momentum,
        (recipe, data) ->
            recipe.optimized(usual -> usual.by(Optimization.Method.SGD).withMomentum(momentum)),
        info -> {
          Optimization.Update update = info.recipe().optimization().update();
          return switch (update.optimizer()) {
            case SGD -> "SGD with momentum " + update.momentum();
            case ADAM -> "Adam";
            case ADAMW -> "AdamW";
          };
        });
  }

  static Statement weightDecay(double weightDecay) {
    return new Statement(
        "weight decay",
        Double.toString(weightDecay),
        (recipe, data) -> recipe.optimized(usual -> usual.withWeightDecay(weightDecay)),
        info -> Double.toString(info.recipe().optimization().update().weightDecay()));
  }

  static Statement learningRate(Function<Run.Info, String> stated, Setting setting) {
    return new Statement("learning rate", stated, setting, Statements::learningRate);
  }

  private static String learningRate(Run.Info info) {
    Optimization.Rate rate = info.recipe().optimization().learningRate();
    long steps = steps(info);
    return rate.peak()
        + switch (rate.curve()) {
          case STEPS ->
              rate.divideAt().isEmpty()
                  ? ""
                  : ", divided by 10 after %s iterations"
                      .formatted(
                          rate.divideAt().stream()
                              .map(fraction -> counted(Math.round(fraction * steps)))
                              .collect(Collectors.joining(" and ")));
          case COSINE -> ", down to 0 along a cosine";
          case ONE_CYCLE -> " at the top of one cycle";
          case PLATEAU -> ", divided by 10 when the error plateaus";
        };
  }

  /// A warm-up at a tenth of the learning rate until the training error is below this number of %,
  /// for the nets that need one.
  static Statement warmUp(Function<Run.Info, String> stated, Setting setting) {
    return new Statement("warm-up", stated, setting, Statements::warmUp);
  }

  private static String warmUp(Run.Info info) {
    Optimization.Rate rate = info.recipe().optimization().learningRate();
    String low = String.format(Locale.ROOT, "%.3g", rate.peak() / 10).replaceFirst("0+$", "");
    return rate.warmUpError() > 0
        ? "%s until the training error is below %s %%"
            .formatted(low, String.format(Locale.ROOT, "%.0f", rate.warmUpError()))
        : rate.warmUp() > 0
            ? "%s for %s iterations".formatted(low, counted(rate.warmUp()))
            : "none";
  }

  static Statement initialWeights() {
    return new Statement(
        "initial weights",
        "weights drawn as in He et al. 2015, arXiv 1502.01852",
        Setting.ANYWAY,
        info ->
            info.recipe().fineTuning().isGiven()
                ? "those of " + info.recipe().fineTuning().weights()
                : "weights drawn as in He et al. 2015, arXiv 1502.01852");
  }

  /// That nothing is done besides what the other statements of a source say.
  ///
  /// @param colours whether one of them says what becomes of colours
  static Statement nothingElse(boolean colours) {
    return new Statement("besides", "nothing else", Setting.ANYWAY, info -> besides(info, colours));
  }

  private static String besides(Run.Info info, boolean colours) {
    Recipe recipe = info.recipe();
    Optimization optimization = recipe.optimization();
    Sampling sampling = recipe.sampling();
    Variation all = recipe.preprocessing().variation();
    var more = new ArrayList<String>();
    String variation =
        new Variation(
                all.randAugment(),
                all.magnitude(),
                all.trivialAugment(),
                all.erase(),
                all.mixup(),
                all.cutmix(),
                false,
                colours ? 0 : all.lighting())
            .toString();
    add(more, !variation.isEmpty(), variation);
    add(more, optimization.clip() > 0, "gradients clipped to " + optimization.clip());
    add(more, !optimization.classWeights().isEmpty(), "class weights");
    add(more, optimization.ema() > 0, "averaged weights");
    add(more, sampling.balanced(), "balanced sampling");
    add(more, sampling.earlyStop().isGiven(), "early stopping");
    add(more, recipe.precision() != Precision.FP32, "bfloat16");
    Architecture.Options options = recipe.options();
    add(more, options.dropout() != null, "dropout of " + options.dropout());
    return more.isEmpty() ? "nothing else" : String.join(", ", more);
  }

  private static void add(List<String> to, boolean is, String what) {
    if (is) {
      to.add(what);
    }
  }

  static Statement smoothing(double share) {
    return new Statement(
        "label smoothing",
        Double.toString(share),
        (recipe, data) -> recipe.optimized(usual -> usual.withSmoothing(share)),
        info -> Double.toString(info.recipe().optimization().smoothing()));
  }

  /// Sets the usual augmentation, which is that of the residual paper for CIFAR-10 in memory.
  static Recipe bordered(Recipe recipe, DataSet data) {
    return recipe.with(
        Preprocessing.usual(data.train(), recipe.preprocessing().pixelMean())
            .with(recipe.preprocessing().variation()));
  }

  /// What training images go through, lighting apart.
  static String augmentation(Run.Info info) {
    Preprocessing of = info.recipe().preprocessing();
    String crop =
        of.size() > 0
            ? of.part()
                ? of.variation().scale()
                    ? "the shorter side drawn from %s to %s, a random crop of %s"
                        .formatted(Photos.shortest(of.size()), Photos.longest(of.size()), of.size())
                    : "random parts of photos"
                : "the centre, of " + of.size()
            : of.crop() > 0 ? of.crop() + " pixels of border, a random crop" : "no crop";
    return crop + (of.flip() ? ", mirrored with probability 1/2" : ", not mirrored");
  }

  /// How often gradients change the weights.
  static long steps(Run.Info info) {
    return info.recipe().epochs()
        * (long) Math.ceilDiv(trained(info), Math.max(1, info.recipe().batch()));
  }

  /// The number of images to train with, without those for validation.
  static int trained(Run.Info info) {
    return Math.max(1, info.classCounts().stream().mapToInt(Integer::intValue).sum());
  }

  static String counted(long number) {
    return String.format(Locale.ROOT, "%,d", number);
  }
}
