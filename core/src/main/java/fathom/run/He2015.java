package fathom.run;

import fathom.data.DataSet;
import fathom.data.Photos;
import fathom.net.Architecture;
import fathom.net.CifarNet;
import fathom.net.Norm;
import fathom.net.PhotoNet;
import fathom.net.PreActivationCifarNet;
import fathom.net.Shortcut;
import fathom.run.PublishedRecipe.Statement;
import fathom.run.PublishedRecipe.Statement.Setting;
import java.util.List;
import java.util.Set;

/// What the residual paper states of its trainings (He, Zhang, Ren and Sun 2015, arXiv 1512.03385):
/// for CIFAR-10 in section 4.2, for ImageNet in section 3.4.
final class He2015 {
  private static final List<String> CIFAR_10 =
      List.of(
          "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck");

  private static final String CIFAR_NET =
      "resnet or plain net of depth 20, 32, 44, 56, 110 or 1202, 16 channels, shortcuts A, batch norm";

  private static final String PHOTO_NET =
      "resnet of depth 18, 34, 50, 101 or 152 or plain net of depth 18 or 34, 64 channels, batch norm, the stride of a bottleneck in its first convolution";

  private static final Set<Integer> CIFAR_DEPTHS = Set.of(20, 32, 44, 56, 110, 1202);

  /// The least depth at which the paper warms up.
  private static final int WARM_UP_DEPTH = 110;

  private static final double WARM_UP_ERROR = 80;
  private static final long CIFAR_STEPS = 64_000;
  private static final long IMAGENET_STEPS = 600_000;
  private static final double RATE = 0.1;

  /// The standard deviation of Krizhevsky et al. 2012 (section 4.1), whose colours the paper takes.
  private static final double LIGHTING = 0.1;

  private He2015() {}

  /// Whether it is a net for CIFAR-10 of the residual papers, which train both kinds alike (He et
  /// al. 2016b, appendix).
  static boolean isForCifar(Architecture net) {
    return net instanceof CifarNet || net instanceof PreActivationCifarNet;
  }

  static boolean isForPhotos(Architecture net) {
    return net instanceof PhotoNet;
  }

  static List<Statement> onCifar() {
    return List.of(
        new Statement("net", CIFAR_NET, Setting.ANYWAY, He2015::cifarNet),
        new Statement(
            "data",
            "CIFAR-10, 50,000 images of 3×32×32 in 10 classes",
            Setting.ANYWAY,
            info -> (info.classes().equals(CIFAR_10) ? "CIFAR-10, " : "") + data(info)),
        split(45_000, 5_000),
        new Statement(
            "normalization",
            "the mean of each pixel subtracted",
            (recipe, data) ->
                data.train() instanceof Photos
                    ? recipe
                    : recipe.with(
                        Preprocessing.usual(data.train(), true)
                            .with(recipe.preprocessing().variation())),
            He2015::normalization),
        new Statement(
            "augmentation",
            "4 pixels of border, a random crop, mirrored with probability 1/2",
            Statements::bordered,
            Statements::augmentation),
        Statements.sgd(0.9),
        Statements.weightDecay(1e-4),
        Statements.batch(128),
        new Statement(
            "GPUs",
            "each batch on 2 GPUs",
            Setting.ANYWAY,
            info ->
                info.recipe().execution().shares() == 2
                    ? "each batch on 2 GPUs"
                    : "batch norm over all of a batch"),
        new Statement(
            "iterations",
            Statements.counted(CIFAR_STEPS),
            (recipe, data) ->
                recipe.withEpochs(
                    Math.toIntExact(Math.ceilDiv(CIFAR_STEPS, perEpoch(recipe, data)))),
            info -> {
              String steps = Statements.counted(Statements.steps(info));
              return Statements.steps(info) == CIFAR_STEPS
                  ? steps
                  : "%s, %s whole epochs".formatted(steps, info.recipe().epochs());
            }),
        Statements.learningRate(
            info -> "0.1, divided by 10 after 32,000 and 48,000 iterations",
            (recipe, data) -> {
              double steps = (double) recipe.epochs() * perEpoch(recipe, data);
              return recipe.optimized(usual ->
                  usual
                      .withRate(RATE)
                      .dividedAt(List.of(CIFAR_STEPS / 2 / steps, CIFAR_STEPS * 3 / 4 / steps)));
            }),
        Statements.warmUp(
            info ->
                warmsUp(info.recipe().architecture())
                    ? "0.01 until the training error is below 80 %"
                    : "none",
            (recipe, data) ->
                recipe.optimized(usual ->
                    usual.withWarmUpUntil(warmsUp(recipe.architecture()) ? WARM_UP_ERROR : 0))),
        Statements.initialWeights(),
        Statements.smoothing(0),
        Statements.nothingElse(false));
  }

  static List<Statement> onImageNet() {
    return List.of(
        new Statement("net", PHOTO_NET, Setting.ANYWAY, He2015::photoNet),
        new Statement(
            "data", "1.28 million images in 1,000 classes", Setting.ANYWAY, He2015::photos),
        new Statement(
            "validation",
            "50,000 images",
            (recipe, data) ->
                data.validation() != null
                    ? recipe.withValidation(data.validation().count())
                    : recipe.withValidation(share(data, 1_281_167, 50_000)),
            info -> Statements.counted(info.recipe().validation()) + " images"),
        new Statement(
            "normalization",
            "the mean of each pixel subtracted",
            Setting.ANYWAY, // photos have no pixel in common
            He2015::normalization),
        new Statement(
            "augmentation",
            "the shorter side drawn from 256 to 480, a random crop of 224, mirrored with probability 1/2",
            (recipe, data) ->
                recipe.preprocessing().part()
                    ? recipe.with(
                        recipe.preprocessing().with(recipe.preprocessing().variation().byScale()))
                    : recipe,
            Statements::augmentation),
        new Statement(
            "colours",
            "changed as in Krizhevsky et al. 2012, by 0.1",
            (recipe, data) ->
                data.train().channels() == 3
                    ? recipe.with(
                        recipe
                            .preprocessing()
                            .with(recipe.preprocessing().variation().withLighting(LIGHTING)))
                    : recipe,
            info -> {
              double lighting = info.recipe().preprocessing().variation().lighting();
              return lighting > 0
                  ? "changed as in Krizhevsky et al. 2012, by " + lighting
                  : "unchanged";
            }),
        Statements.sgd(0.9),
        Statements.weightDecay(1e-4),
        Statements.batch(256),
        new Statement(
            "iterations",
            "up to " + Statements.counted(IMAGENET_STEPS),
            (recipe, data) ->
                recipe.withEpochs(
                    Math.toIntExact(Math.max(1, IMAGENET_STEPS / perEpoch(recipe, data)))),
            info -> {
              long steps = Statements.steps(info);
              boolean most =
                  steps <= IMAGENET_STEPS
                      && steps + steps / info.recipe().epochs() > IMAGENET_STEPS;
              return "up to " + Statements.counted(most ? IMAGENET_STEPS : steps);
            }),
        Statements.learningRate(
            info -> "0.1, divided by 10 when the error plateaus",
            (recipe, data) ->
                recipe.optimized(
                    usual -> usual.withRate(RATE).withCurve(Optimization.Curve.PLATEAU))),
        Statements.warmUp(
            info -> "none", (recipe, data) -> recipe.optimized(usual -> usual.withWarmUpUntil(0))),
        Statements.initialWeights(),
        new Statement("test", "the mean of 10 crops", Setting.ANYWAY, info -> "the centre crop"),
        Statements.smoothing(0),
        Statements.nothingElse(true));
  }

  private static Statement split(int train, int validation) {
    return new Statement(
        "split",
        split(train, (long) validation),
        (recipe, data) ->
            recipe.withValidation(
                data.validation() != null
                    ? data.validation().count()
                    : share(data, train + validation, validation)),
        info -> split(Statements.trained(info), (long) info.recipe().validation()));
  }

  private static String split(int train, long validation) {
    return "%s images to train with, %s for validation"
        .formatted(Statements.counted(train), Statements.counted(validation));
  }

  /// The number of validation images that is to the training images of this data as in the paper.
  private static int share(DataSet data, int all, int validation) {
    long count = data.train().count();
    return count == all
        ? validation
        : Math.toIntExact(Math.min(count - 1, Math.ceilDiv(count * validation, all)));
  }

  private static long perEpoch(Recipe recipe, DataSet data) {
    int trained = data.train().count() - (data.validation() == null ? recipe.validation() : 0);
    return Math.ceilDiv(Math.max(1, trained), Math.min(recipe.batch(), Math.max(1, trained)));
  }

  private static boolean warmsUp(Architecture net) {
    return net instanceof Architecture.Convolutional of && of.depth() >= WARM_UP_DEPTH;
  }

  private static String cifarNet(Run.Info info) {
    boolean same =
        info.recipe().architecture() instanceof CifarNet net
            && CIFAR_DEPTHS.contains(net.depth())
            && net.width() == 16
            && net.norm() == Norm.BATCH
            && (net.shortcut() == Shortcut.A || net.shortcut() == Shortcut.NONE)
            && !net.zeroInit();
    return same ? CIFAR_NET : net(info);
  }

  private static String photoNet(Run.Info info) {
    boolean same =
        info.recipe().architecture() instanceof PhotoNet net
            && net.width() == 64
            && net.norm() == Norm.BATCH
            && !net.form().tricks()
            && !net.form().zeroInit()
            && (net.depth() < 50 || net.form().strideIn() == 1);
    return same ? PHOTO_NET : net(info);
  }

  private static String net(Run.Info info) {
    return "%s, %s".formatted(info.recipe().model(), info.recipe().options());
  }

  private static String data(Run.Info info) {
    return "%s images of %s in %s classes"
        .formatted(
            Statements.counted(all(info)),
            String.join("×", info.input().stream().map(String::valueOf).toList()),
            Statements.counted(info.classes().size()));
  }

  private static int all(Run.Info info) {
    return Statements.trained(info) + info.recipe().validation();
  }

  private static String photos(Run.Info info) {
    int trained = Statements.trained(info);
    boolean imageNet = Math.round(trained / 1e4) == 128 || Math.round(all(info) / 1e4) == 128;
    return "%s images in %s classes"
        .formatted(
            imageNet ? "1.28 million" : Statements.counted(trained),
            Statements.counted(info.classes().size()));
  }

  private static String normalization(Run.Info info) {
    return info.recipe().fineTuning().normalization() != null
        ? "images normalised as the weights say"
        : info.recipe().preprocessing().pixelMean()
            ? "the mean of each pixel subtracted"
            : "each channel at mean 0 and standard deviation 1";
  }
}
