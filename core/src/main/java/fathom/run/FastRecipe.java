package fathom.run;

import fathom.data.DataSet;
import fathom.data.Photos;
import fathom.run.PublishedRecipe.Statement;
import java.util.List;

/// A recipe for time to accuracy on a few cores: as much of the final accuracy as possible in a few
/// epochs. It is one cycle of a large learning rate, which trains in a fraction of the steps (Smith
/// and Topin 2018, arXiv 1708.07120), with a larger weight decay and smoothed labels (Szegedy et
/// al. 2016, arXiv 1512.00567, section 7) than the usual recipe.
final class FastRecipe {
  private static final int EPOCHS = 4;
  private static final int SMALL_EPOCHS = 10;

  /// Data with fewer training images than this is trained for more epochs in smaller batches.
  private static final int SMALL = 10_000;

  /// The learning rate for batches of 128 at the top of the cycle; others have it in proportion.
  private static final double RATE = 0.3;

  private FastRecipe() {}

  static List<Statement> statements() {
    return List.of(
        new Statement(
            "augmentation",
            FastRecipe::augmentation,
            Statements::bordered,
            Statements::augmentation),
        Statements.sgd(0.9),
        Statements.weightDecay(5e-4),
        new Statement(
            "batch",
            info -> Statements.counted(batch(info)),
            (recipe, data) -> recipe.withBatch(batch(data)),
            info -> Statements.counted(info.recipe().batch())),
        new Statement(
            "epochs",
            info -> Statements.counted(isSmall(info) ? SMALL_EPOCHS : EPOCHS),
            (recipe, data) -> recipe.withEpochs(isSmall(data) ? SMALL_EPOCHS : EPOCHS),
            info -> Statements.counted(info.recipe().epochs())),
        Statements.learningRate(
            info -> rate(batch(info)) + " at the top of one cycle",
            (recipe, data) ->
                recipe.optimized(usual ->
                    usual.withRate(rate(batch(data))).withCurve(Optimization.Curve.ONE_CYCLE))),
        Statements.smoothing(0.1),
        Statements.nothingElse(false));
  }

  private static String augmentation(Run.Info info) {
    int size = info.recipe().preprocessing().size();
    boolean grey = info.input().getFirst() == 1;
    return grey // which a flip may make another class
        ? (size > 0 ? "the centre, of " + size : "no crop") + ", not mirrored"
        : (size > 0 ? "random parts of photos" : "4 pixels of border, a random crop")
            + ", mirrored with probability 1/2";
  }

  private static double rate(int batch) {
    return RATE * batch / 128;
  }

  private static boolean isSmall(DataSet data) {
    return data.train().count() < SMALL;
  }

  private static boolean isSmall(Run.Info info) {
    return Statements.trained(info) + info.recipe().validation() < SMALL;
  }

  private static int batch(DataSet data) {
    return batch(data.train() instanceof Photos, isSmall(data));
  }

  private static int batch(Run.Info info) {
    return batch(info.recipe().preprocessing().size() > 0, isSmall(info));
  }

  private static int batch(boolean photos, boolean small) {
    return photos ? 32 : small ? 64 : 128;
  }
}
