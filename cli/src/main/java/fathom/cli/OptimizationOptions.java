package fathom.cli;

import fathom.run.Optimization;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The options for how gradients change the weights: an [Optimization] as the user wants it.
final class OptimizationOptions {
  @Option(
      names = "--optimizer",
      paramLabel = "sgd|adam|adamw",
      description = "Default: sgd for resnetN and plainN, otherwise adam.")
  private Optimization.@Nullable Method optimizer;

  @Option(
      names = "--lr",
      paramLabel = "R",
      description = "The learning rate. Default: what suits model and optimizer; see --dry-run.")
  private @Nullable Double rate; // the name that the recipe of a run has for it

  @Option(
      names = "--clip",
      paramLabel = "C",
      description = "The largest norm of all gradients; 0 for any. Default: 1 for recurrent nets.")
  private @Nullable Double clip;

  @Option(
      names = "--weight-decay",
      paramLabel = "L",
      description = "Of SGD (default: 0.0001) and AdamW, there decoupled (default: 0.01).")
  private @Nullable Double weightDecay;

  @Option(
      names = "--schedule",
      paramLabel = "steps|cosine|one-cycle",
      description = {
        "How the learning rate goes: divided by ten at points of the recipe, down to 0 along half a cosine"
            + " wave, or",
        "up over 30 %% of the steps and then down. Default: steps."
      })
  private Optimization.@Nullable Curve curve;

  @Option(
      names = "--label-smoothing",
      paramLabel = "E",
      description = "So much of every label is given to all classes alike. Default: 0.")
  private @Nullable Double smoothing;

  Optimization of(Optimization usual) {
    Optimization of = optimizer == null ? usual : usual.by(optimizer);
    of = rate == null ? of : of.withRate(rate);
    of = clip == null ? of : of.withClip(clip);
    of = weightDecay == null ? of : of.withWeightDecay(weightDecay);
    of = curve == null ? of : of.withCurve(curve);
    return smoothing == null ? of : of.withSmoothing(smoothing);
  }
}
