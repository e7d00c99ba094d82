package fathom.cli;

import fathom.data.Data;
import fathom.run.Optimization;
import fathom.run.Recipe;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The options for how gradients change the weights: an [Optimization] as the user wants it.
final class OptimizationOptions {
  @Option(
      names = "--optimizer",
      paramLabel = "sgd|adam|adamw",
      description = "The optimizer. Default: sgd for resnetN and plainN, otherwise adam.")
  private Optimization.@Nullable Method optimizer;

  @Option(
      names = "--lr",
      paramLabel = "R",
      description = "The learning rate. Default: what suits model and optimizer; see --dry-run.")
  private @Nullable Double rate; // the name that the recipe of a run has for it

  @Rare
  @Option(
      names = "--clip",
      paramLabel = "C",
      description = "The largest norm of all gradients; 0 for any. Default: 1 for recurrent nets.")
  private @Nullable Double clip;

  @Rare
  @Option(
      names = "--weight-decay",
      paramLabel = "L",
      description =
          "The weight decay of SGD (default: 0.0001) and AdamW, there decoupled (default: "
              + "0.01).")
  private @Nullable Double weightDecay;

  @Option(
      names = "--schedule",
      paramLabel = "steps|cosine|one-cycle|plateau",
      description =
          "The curve of the learning rate. Default: steps. steps: divided by ten at points of "
              + "the recipe. cosine: down to 0 along half a cosine wave. one-cycle: up over 30 %% "
              + "of the steps and then down. plateau: divided by ten after 5 epochs that the "
              + "validation images found no better; for --val.")
  private Optimization.@Nullable Curve curve;

  @Rare
  @Option(
      names = "--warm-up",
      paramLabel = "EPOCHS",
      description =
          "Begins with a tenth of the learning rate for so many epochs, to the nearest step, such "
              + "as 0.5. Default: 0, none; 1 where weights are fine-tuned.")
  private @Nullable Double warmUp;

  @Rare
  @Option(
      names = "--label-smoothing",
      paramLabel = "E",
      description = "The share of every label that is given to all classes alike. Default: 0.")
  private @Nullable Double smoothing;

  @Rare
  @Option(
      names = "--ema",
      paramLabel = "DECAY",
      description =
          "Evaluates and saves a moving average of the weights, such as 0.999 of the average and "
              + "the rest of the weights after each step. Default: 0, none.")
  private @Nullable Double ema;

  Optimization of(Optimization usual) {
    Optimization of = optimizer == null ? usual : usual.by(optimizer);
    of = rate == null ? of : of.withRate(rate);
    of = clip == null ? of : of.withClip(clip);
    of = weightDecay == null ? of : of.withWeightDecay(weightDecay);
    of = curve == null ? of : of.withCurve(curve);
    of = smoothing == null ? of : of.withSmoothing(smoothing);
    return ema == null ? of : of.withEma(ema);
  }

  /// Returns the recipe with the warm-up that the user wants, or else that of the recipe.
  ///
  /// @param usual the epochs of the recipe's warm-up; null if it is a number of steps
  Recipe warmedUp(Recipe recipe, @Nullable Double usual, Data data) {
    boolean own = recipe.optimization().learningRate().curve() == Optimization.Curve.ONE_CYCLE;
    Double epochs = warmUp != null ? warmUp : own ? null : usual;
    return epochs == null ? recipe : recipe.warmedUp(epochs, data);
  }
}
