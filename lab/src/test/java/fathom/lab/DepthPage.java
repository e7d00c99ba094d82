package fathom.lab;

import static fathom.lab.Figure.full;
import static fathom.lab.Figure.quick;
import static fathom.lab.Row.both;

import java.util.List;

/// What stands in `why-plain-nets-fail.md` and in the rows 8 to 28 of the records.
final class DepthPage {
  private DepthPage() {}

  /// The experiments that it names and that have five seeds.
  static final List<String> OF_FIVE_SEEDS =
      List.of(
          "norm-placement",
          "both-orders",
          "function-spaces",
          "residual-alignment",
          "curse-of-depth",
          "orthogonal-updates",
          "conditioning");

  static final List<Row> ROWS =
      List.of(
          new Row(
              "8",
              "degradation, fully connected",
              "degradation",
              List.of(
                  "plain-4, training error",
                  "plain-20, training error",
                  "plain-56, training error"),
              ""),
          new Row(
              "9",
              "shortcuts cure it",
              "degradation",
              List.of("residual-20, training error", "residual-56, training error"),
              ""),
          new Row(
              "10",
              "it is not over-fitting",
              "degradation",
              List.of("plain-56, test error less"),
              "The table wants the test error not below the training error; two points are left for"
                  + " the draw of the test points, since both are at chance."),
          new Row(
              "11",
              "gradients are healthy where training fails",
              "healthy-gradients",
              List.of("plain, ‖g₁‖ at the end", "plain, ‖g‖ of the last", "plain, training error"),
              "For one seed the first layer's norm ends just below what the row calls healthy,"
                  + " since that layer is frozen; see 26b."),
          new Row(
              "12",
              "more iterations do not help",
              "more-iterations",
              List.of("plain-56 with three times"),
              ""),
          new Row(
              "13",
              "degradation, convolutional",
              "conv-degradation",
              List.of(
                  "plain-56 less plain-20",
                  "residual-56 less residual-20",
                  "plain-56 less residual-56"),
              "Size quick is on the embedded digits, where one seed of three is at the second bound"
                  + " (0.0497 of 0.05; 0.15 in the record of 2026-11-25, which was mixed); size full"
                  + " on CIFAR-10 as the row says, where ten epochs do not bring 56 layers with shortcuts"
                  + " to where 20 are."),
          new Row(
              "14",
              "shortcuts make 20 layers faster",
              "conv-degradation",
              List.of("epochs to half right"),
              ""),
          new Row(
              "15",
              "a warm-up is not slower at 110 layers",
              "warm-up",
              List.of("epochs below 80 %"),
              ""),
          new Row(
              "16",
              "responses: figure 7",
              both(
                  "published-nets",
                  List.of(
                      "resnet20, mean standard deviation by images over",
                      "resnet32, mean standard deviation by images over",
                      "ResNet-32 over ResNet-20"),
                  "responses",
                  List.of("residual-20 over plain-20", "residual-56 over residual-20")),
              ""),
          new Row(
              "17",
              "errors of the published weights",
              "published-nets",
              List.of("resnet20, test error", "resnet32, test error", "ResNet-32 less ResNet-20"),
              ""),
          new Row(
              "18",
              "batch norm makes gradients explode, 1.2113 a layer",
              "shattering",
              List.of("plain, growth of the gradient"),
              ""),
          new Row(
              "19", "gradients shatter, 2⁻ᴸ", "shattering", List.of("plain, gradient cosine"), ""),
          new Row("20", "shortcuts prevent it", "shattering", List.of("residual, branch×"), ""),
          new Row(
              "21",
              "values collapse without batch norm",
              "collapse",
              List.of("no norm", "layer norm", "batch norm"),
              ""),
          new Row(
              "22",
              "the spectrum, not the norm",
              "spectrum",
              List.of("plain, 64 layers", "residual, 64 layers"),
              ""),
          new Row(
              "23",
              "rate of convergence",
              "convergence-rate",
              List.of("plain, batch norm, λ_max", "residual, batch norm, λ_max"),
              ""),
          new Row(
              "24",
              "linear products take exponential time",
              "deep-product",
              List.of("plain, 16 factors, median", "residual, 16 factors, median"),
              ""),
          new Row("25", "a scaled shortcut kills", "shortcut-scale", List.of("shortcut×"), ""),
          new Row(
              "26",
              "SkipInit and Fixup train without a norm",
              "cures",
              List.of(
                  "residual, no norm, training error",
                  "residual, no norm, SkipInit",
                  "residual, no norm, Fixup"),
              ""),
          new Row(
              "26b",
              "healthy norms are an after-effect of frozen early layers",
              "healthy-gradients",
              List.of(
                  "plain, largest over smallest",
                  "plain, the same, step 20",
                  "plain, ‖W₁‖ at step 20",
                  "plain, η‖g₁‖/‖W₁‖",
                  "residual, ‖W₁‖ at step 20",
                  "plain with weights brought back"),
              "The factor of 20 at step 20 was that of one run, and seeds differ by more. That it"
                  + " falls, that the early layers freeze and that training fails holds for every"
                  + " seed."),
          new Row(
              "27",
              "orthogonal weights help a plain net",
              "cures",
              List.of("orthogonal linear net", "orthogonal over Gaussian"),
              "With four times the points, at size full, the orthogonal start is not enough for"
                  + " every seed."),
          new Row(
              "27, tailored",
              "tailored rectifiers help a plain net",
              "tailored-activations",
              List.of(
                  "cosine that the map",
                  "the same with rectifiers",
                  "rectifiers, cosine between",
                  "tailored, cosine between",
                  "tailored over rectifiers"),
              "The bound is the prediction of section 3.1. The learning rate is from a pilot: at 0.02, the"
                  + " other experiments', these nets diverge, and both kinds end lowest at 0.005."),
          new Row(
              "28",
              "a residual net hardly misses a block",
              both(
                  "lesions",
                  List.of("residual, one block out, median", "plain, one block out, median"),
                  "published-lesions",
                  List.of(
                      "resnet20, one block out, median",
                      "resnet32, one block out, median",
                      "ResNet-32 less ResNet-20")),
              "The 2 points are of a net of 27 blocks. The published weights that are had have 9"
                  + " and 15: after the pilot, of which the medians stand here, what is asked of"
                  + " them is that the deeper one loses less."),
          new Row(
              "28, paths",
              "the gradient's paths are short",
              both(
                  "lesions",
                  List.of("residual, mean number of branches", "residual, the same over"),
                  "published-paths",
                  List.of(
                      "resnet20, mean number of branches",
                      "resnet20, the same over",
                      "resnet32, mean number of branches",
                      "resnet32, the same over")),
              "Bounds of this project, set before the first run. They fail at 9 blocks: the length"
                  + " of these paths hardly grows with the number of blocks, so it is short in deep"
                  + " nets only."));

  static final List<Figure> FIGURES =
      List.of(
          quick("degradation", "plain-56, training error", "| plain | %.1f %% (chance"),
          quick("degradation", "residual-56, training error", "| residual | %.2f %% |"),
          quick("degradation", "plain-56, test error less", "the test error is %.1f points"),
          quick("more-iterations", "plain-56 with three times", "times the epochs | %.1f %% |"),
          quick("healthy-gradients", "plain with weights", "after every step | %.1f %% |"),
          quick("healthy-gradients", "plain with weights", "train no better (%.1f %%)"),
          quick("healthy-gradients", "plain, largest over smallest", "is %,.0f times"),
          quick("healthy-gradients", "plain, ‖W₁‖", "first weights by %,.0f within 20 steps"),
          quick("healthy-gradients", "residual, ‖W₁‖", "(%.1f in the residual net)"),
          quick("healthy-gradients", "plain, η‖g₁‖/‖W₁‖", "η‖g‖/‖W‖ = %.0e"),
          quick("shortcut-scale", "shortcut×0.5", "times one half | %.1f %% |"),
          quick("conv-degradation", "plain-56 less plain-20", "ends %.2f nats above"),
          quick("conv-degradation", "residual-56 less residual-20", "of 56 %.2f above"),
          quick("shattering", "plain, growth", "by %.3f a layer"),
          quick("collapse", "batch norm", "norm %.2f (`collapse`)"),
          quick("spectrum", "plain, 64 layers, root", "1 in plain (%.1f)"),
          quick("spectrum", "residual, 64 layers, root", "residual nets (%.1f)"),
          quick("spectrum", "plain, 64 layers, part", "Of 128 directions %.1f take part"),
          quick("spectrum", "residual, 64 layers, part", "64 layers, %.0f in that of"),
          quick("convergence-rate", "residual, batch norm, λ_max", "norm and %.1f times in a"),
          quick("surfaces", "plain, share", "at a share of %.2f of the places"),
          quick("deep-product", "plain, 16 factors, median", "target in %,.0f steps"),
          quick("lesions", "residual, one block out, median", "by %.1f points in the median"),
          quick("lesions", "plain, one block out, median", "of 8 by %.0f (`lesions`)"),
          quick("lesions", "residual, mean number", "lead through %.1f branches of 14"),
          quick("published-lesions", "resnet20, one block out, median", "loses %.0f points"),
          quick("published-lesions", "resnet32, one block out, median", "of 15, %.1f (`pub"),
          quick("published-paths", "resnet20, mean number", "through %.1f of 9"),
          quick("published-paths", "resnet32, mean number", "9 and %.1f of 15"),
          quick("published-paths", "resnet20, the same", "ResNet-20 are %.2f times"),
          quick("published-paths", "resnet32, the same", "ResNet-32 %.2f times"),
          quick("published-nets", "ResNet-32 over", "by a factor of %.2f"),
          quick("single-layer", "y = Wx + x", "as the paper says: %.1f %%"),
          quick("single-layer", "no shortcut", "against %.1f %% without"),
          quick("single-layer", "shortcut around one layer", "does help (%.1f %%)"),
          quick("cures", "plain tanh, Gaussian", "tanh net from %.0f to"),
          quick("cures", "plain tanh, orthogonal", "to %.0f %% (`cures`)"),
          quick("tailored-activations", "slope", "a slope of %.2f below zero"),
          quick("tailored-activations", "tailored, orthogonal", "the error is %.0f %% where"),
          quick("tailored-activations", "rectifiers, orth", "rectifiers end at %.0f %%"),
          quick("tailored-activations", "tailored, Gaussian", "%.0f %% with Gaussian weights"),
          quick("spans", "shortcuts around all", "but ends at %.1f %%"),
          quick("appended-layers", "with shortcuts, 100 layers", "but end at %.0f %%"),
          quick("both-orders", "norm before the rectifier, cosine", "at a cosine of %.3f; behind"),
          quick("both-orders", "norm behind the rectifier, cosine", "it, at %.3f, and gradients"),
          quick("both-orders", "norm before the rectifier, 56", "net errs at %.1f %% and"),
          quick("both-orders", "norm behind the rectifier, 56", "the second at %.1f %%, where"),
          quick("both-orders", "norm before the rectifier, 4 layers", "they err at %.1f and"),
          quick("both-orders", "norm behind the rectifier, 4 layers", "and %.1f %%. One number"),
          quick(
              "function-spaces",
              "2 rectifiers on a path, variable, test",
              "errs at %.1f %% of new"),
          quick(
              "function-spaces",
              "2 rectifiers on a path, fixed, test",
              "the other at %.1f %%, less"),
          quick("function-spaces", "5 rectifiers on a path, variable, test", "with 5 at %.1f and"),
          quick("function-spaces", "5 rectifiers on a path, fixed, test", "31.4 and %.1f %%, less"),
          quick("function-spaces", "whole net, test error", "of 20, errs at %.1f %%: on"),
          quick("residual-alignment", "residual, cosine of a step", "whole way is %.3f (0.8"),
          quick("residual-alignment", "plain, cosine of a step", "and %.3f in a plain net"),
          quick("residual-alignment", "residual, cosine of leading", "a cosine of %.2f (0.8"),
          quick("residual-alignment", "residual, 5 blocks, largest", "number it is %.1f, 3.4"),
          quick("residual-alignment", "residual, 10 blocks, largest", "4.7, %.1f and"),
          quick("residual-alignment", "residual, 20 blocks, largest", "3.4 and %.1f with 5"),
          quick(
              "curse-of-depth",
              "norms as they are, variance behind the last block over the first, trained",
              "variance is %.1f times that"),
          quick(
              "curse-of-depth",
              "norms scaled by 1/√l, variance behind the last block over the first, trained",
              "scaled by 1/√l %.1f times, as"),
          quick("curse-of-depth", "norms as they are, rise", "costs %.3f nats as it is"),
          quick("curse-of-depth", "norms scaled by 1/√l, rise", "and %.3f scaled, where"),
          quick(
              "orthogonal-updates", "plain-20, orthogonalised updates, t", "with them at %.1f and"),
          quick(
              "orthogonal-updates",
              "plain-56, orthogonalised updates, t",
              "and %.1f %%, and with SGD"),
          quick("orthogonal-updates", "plain-20, SGD", "with SGD at %.1f and"),
          quick("orthogonal-updates", "plain-56, SGD", "76.2 and %.1f %%. To even"),
          quick("conditioning", "plain, condition", "Jacobian is 10^%.1f at"),
          quick("conditioning", "skip, condition", "shortcuts, 10^%.1f with"),
          quick("conditioning", "initialised, condition", "and 10^%.1f without"),
          quick("conditioning", "plain, training loss", "the losses are %.2f, 0.014"),
          quick("conditioning", "skip, training loss", "1.22, %.3f and"),
          quick("conditioning", "initialised, training loss", "0.014 and %.3f nats"),
          full("degradation", "plain-56, training error", "plain-56 %.1f %%"),
          full("tailored-activations", "tailored, orthogonal", "rectifiers ends at %.1f %% with"),
          full("tailored-activations", "tailored, Gaussian", "and at %.1f %% with Gaussian"),
          full("tailored-activations", "rectifiers, orth", "and at %.0f %% with rectifiers"),
          full("published-lesions", "resnet20, one block out, median", "images: %.0f points"),
          full("published-lesions", "resnet32, one block out, median", "%.1f for ResNet-32"),
          full("lesions", "residual, mean number", "and %.1f branches"),
          full("residual-alignment", "residual, 10 blocks, training", "blocks leave %.1f %% of"),
          full("residual-alignment", "residual, cosine of a step", "whole way is %.3f, and that"),
          full("residual-alignment", "residual, cosine of leading", "singular vectors %.2f (0.8"),
          full("conditioning", "plain, condition", "condition number of 10^%.1f at"),
          full("conditioning", "skip, condition", "with shortcuts 10^%.1f, and"),
          full("conditioning", "plain, training", "the losses are %.2f and 0.0007"),
          full("conditioning", "skip, training", "2.31 and %.4f nats"),
          full("conditioning", "initialised, condition", "starts at 10^%.1f and"),
          full("conditioning", "initialised, training", "ends at %.2f nats: 0.71"),
          full("conditioning", "initialised over plain", "nats: %.2f of the loss"),
          full("published-paths", "resnet20, the same", "(%.2f times for ResNet-20"),
          full("published-paths", "resnet32, the same", "%.2f for ResNet-32)"),
          full("both-orders", "norm before the rectifier, 56", "(`both-orders`: %.1f and"),
          full("both-orders", "norm behind the rectifier, 56", "89.7 and %.1f %%; 4 layers"),
          full("function-spaces", "2 rectifiers on a path, variable, test", "mixed: %.1f against"),
          full("function-spaces", "2 rectifiers on a path, fixed, test", "against %.1f %% with 2"),
          full(
              "function-spaces",
              "5 rectifiers on a path, variable, test",
              "on a path, %.1f against"),
          full("function-spaces", "5 rectifiers on a path, fixed, test", "against %.1f with 5)"),
          full("curse-of-depth", "variance growth", "grows, %.1f times as"),
          full(
              "curse-of-depth",
              "rise of the loss without the second half, scaled",
              "norms, %.2f times as"),
          full(
              "orthogonal-updates",
              "plain-20, orthogonalised updates, training",
              "updates leave %.0f %% in"),
          full("orthogonal-updates", "plain-20, SGD", "SGD leaves %.0f,"));
}
