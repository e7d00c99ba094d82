package fathom.lab;

import static fathom.lab.Figure.full;

import java.util.List;

/// What stands under "At size full" in `does-layer-norm-wipe-out-information.md` and
/// `why-normalization-regularizes.md`.
final class FullPages {
  private FullPages() {}

  static final List<Figure> INFORMATION =
      List.of(
          full("cards-norms", "layer norm, R² of tens", "Layer norm leaves %.2f of the tens"),
          full("cards-norms", "layer norm, R² of all", "and %.2f of all cards"),
          full("cards-norms", "layer norm behind a bias, R² of tens", "a bias %.2f of the tens"),
          full("edges-blank", "layer norm, gain on", "blank image %.1f times"),
          full(
              "edges-dissociation", "layer norm, R²(contrast", "contrast × outline pixels is %.2f"),
          full("edges-dissociation", "layer norm, R²(objects", "of the number of objects %.2f"),
          full("cards-value", "no norm, R² on other", "without a norm learn %.4f of the variance"),
          full("cards-value", "layer norm, no bias before it, R² on other", "and no bias %.3f"),
          full("cards-value", "layer norm behind a bias, R² on", "with a bias %.4f"),
          full("cards-value", "layer norm, no bias before it, R² where", "are gone %.2f"),
          full("cards-value", "no norm, R² where", "against %.2f"),
          full("cards-pooled", "layer norm behind a bias, R² of the count per card, 60", "at %.3f"),
          full(
              "cards-pooled",
              "layer norm behind a bias, R² of the count per card, 240",
              "and %.2f at 240"),
          full(
              "cards-pooled",
              "layer norm, no bias before it, R² of the count per card, 60",
              "without the bias it is %.2f"),
          full(
              "cards-pooled",
              "layer norm, no bias before it, R² of the count per card, 240",
              "0.32 and %.1f"),
          full(
              "cards-pooled",
              "layer norm behind a bias, most frequent rank, right of 240",
              "for %.0f %% of the sets"),
          full("edges-few-to-many", "layer norm, F lost", "F falls by %.3f with"),
          full("edges-few-to-many", "no norm, F lost", "by %.3f without, for"),
          full(
              "cards-agent",
              "layer norm, no bias before it, correlation of Q(8) − Q(1) with the true",
              "true count is %.2f and what is left"),
          full(
              "cards-agent",
              "layer norm, no bias before it, share",
              "best growth %.0f %%, with a bias from"),
          full(
              "cards-agent",
              "layer norm behind a bias, correlation of Q(8) − Q(1) with the true",
              "from zero %.2f and"),
          full(
              "cards-agent",
              "layer norm behind a bias, share",
              "0.86 and %.0f %%, with the moments"),
          full(
              "cards-agent",
              "layer norm with its moments, correlation of Q(8) − Q(1) with the true",
              "with the moments %.2f and"),
          full("cards-agent", "layer norm with its moments, share", "0.88 and %.0f %%, beside"),
          full(
              "cards-agent",
              "layer norm beside an un-normalised stream, correlation of Q(8) − Q(1) with the true",
              "beside a stream %.2f"),
          full(
              "cards-agent",
              "layer norm beside an un-normalised stream, share",
              "0.92 and %.0f %%"),
          full(
              "cards-agent",
              "layer norm behind a drawn bias, correlation of Q(8) − Q(1) with the true",
              "drawn bias %.2f and"),
          full("cards-agent", "layer norm behind a drawn bias, share", "0.91 and %.0f %%, and"),
          full(
              "cards-agent",
              "no norm, correlation of Q(8) − Q(1) with the true",
              "without a norm %.2f and 90"),
          full("cards-agent", "no norm, share", "0.90 and %.0f %%. So"),
          full(
              "cards-agent",
              "layer norm, no bias before it, less than no norm, units",
              "bias is %.2f ± 0.09"),
          full("cards-agent", "no norm, units", "± 0.09 of %.2f units"),
          full(
              "cards-reader",
              "RNN, R² of running count after 60",
              "running count is %.2f for the RNN"),
          full(
              "cards-reader",
              "LN-RNN, R² of running count after 60",
              "RNN, %.2f with layer norm, 0.87"),
          full(
              "cards-reader",
              "LSTM, R² of running count after 60",
              "layer norm, %.2f for the LSTM"),
          full(
              "cards-reader",
              "LN-LSTM, R² of running count after 60",
              "LSTM and %.2f with layer norm; the"),
          full("cards-reader", "RNN, error of tens after 60", "missed by %.1f, 7.3"),
          full("cards-reader", "LN-LSTM, error of tens after 60", "5.7 and %.1f cards"),
          full("draw", "no norm, held-out bound, nats", "held-out bound of %.1f nats"),
          full("draw", "layer norm, held-out bound, nats", "held-out bound of %.1f nats"),
          full("draw", "best constant", "single pixels has %.1f;"),
          full("draw", "layer norm, share", "needs %.2f of the epochs to"),
          full("edges-bsds", "no norm, ODS", "%.3f without one, 0.639"),
          full("edges-bsds", "batch norm, ODS", "%.3f with batch norm, 0.633"),
          full("edges-bsds", "layer norm, ODS", "%.3f with layer norm and 0.638"),
          full("edges-bsds", "bias, layer norm, ODS", "and %.3f with a bias before it. By"),
          full(
              "order-embeddings",
              "share of these steps to be there, LN-GRU",
              "needs %.2f of the steps where"),
          full(
              "order-embeddings", "share of these steps to be there, twice", "learning rate %.2f."),
          full(
              "order-embeddings",
              "held-out accuracy, LN-GRU less",
              "by %.1f points of the held-out"),
          full(
              "order-embeddings",
              "LN-GRU, twice the learning rate, held-out",
              "twice the learning rate %.1f %%"),
          full("order-embeddings", "GRU, held-out", "the GRU has %.1f %%"),
          full("order-embeddings", "GRU, words in a drawn order, held-out", "still: %.1f %% when"),
          full(
              "attentive-reader",
              "4 sentences, LSTM, validation error at the end",
              "errs on %.2f %% of the questions about four"),
          full(
              "attentive-reader",
              "8 sentences, LSTM, validation error at the end",
              "on %.2f %% of those about eight"),
          full(
              "attentive-reader",
              "8 sentences, LN-LSTM, validation error at the end",
              "the LN-LSTM on %.2f %%. Who"),
          full(
              "attentive-reader",
              "4 sentences, LN-LSTM, gains of 0.1, validation error at the end",
              "choice on average, %.1f %%"),
          full("draw-attention", "no norm, held-out bound, nats", "bound is %.1f nats without"),
          full("draw-attention", "layer norm, held-out bound, nats", "and %.1f with it, but"),
          full("draw-attention", "layer norm, share", "ends in %.2f of the epochs. One"),
          full("small-batches", "batch 4, layer norm, test", "norm err on %.1f %% of"),
          full("small-batches", "batch 4, no norm, test", "without a norm on %.1f %% and"),
          full("small-batches", "batch 4, batch norm, test", "batch norm on %.1f %%, in"),
          full(
              "ln-lstm-text",
              "ln-lstm, bits per held-out character at half",
              "LN-LSTM has %.2f bits"),
          full(
              "ln-lstm-text",
              "lstm, bits per held-out character at half",
              "and the LSTM %.2f, with"),
          full(
              "ln-lstm-text",
              "ln-lstm, gains of 0.1, bits per held-out character at half",
              "any more: %.2f with 0.1"),
          full("norm-and-warm-up", "norm behind, no warm-up", "after 1000 steps, %.2f bits"),
          full("norm-and-warm-up", "norm behind, warm-up", "they are at %.2f, and"),
          full("norm-and-warm-up", "norm on the branch, no", "branches at %.2f without one"));

  static final List<Figure> REGULARIZATION =
      List.of(
          full("zero-return", "layer norm, return", "|⟨G, W⟩| = %.0e where"),
          full("zero-return", "layer norm, ‖G‖·‖W‖", "‖G‖·‖W‖ = %.0f"),
          full("scaled-twins", "SGD, ×3, largest difference of the values", "steps to %.0e in"),
          full("norm-growth", "hidden layer 1, slope", "slope of %.2f"),
          full("norm-growth", "hidden layer 2, slope", "and %.2f by log t"),
          full("norm-growth", "hidden layer 1, ‖W‖⁴", "r⁴ ends at %.4f"),
          full("norm-growth", "hidden layer 2, ‖W‖⁴", "and %.4f times the line"),
          full("decay-times-rate", "η×1/4, λ×4, angle", "to 4η and λ/4 is %.3f"),
          full("decay-times-rate", "η×4, λ×1/4, angle", "to %.3f times"),
          full("decay-times-rate", "η×4, λ, angle", "turns %.2f times"),
          full("fisher-half-or-quarter", "layer norm of 64", "with 64 units by %.3f"),
          full("nonlinear-norm", "linear layers, training", "labels wrong, %.0f %% of 256"),
          full("nonlinear-norm", "linear layers and", "between them %.1f %%"),
          full("dead-directions", "layer norm, rank", "layer norm leaves %.0f, one"),
          full("final-gradients", "perceptron, growth of", "by %.1f and"),
          full("final-gradients", "ResNet-20, growth of", "and %.1f times less"),
          full("final-gradients", "ResNet-20, λ as it is, gradient", "grow to %.2f times"),
          full("final-gradients", "perceptron, λ as it is, gradient", "shrink to %.2f, which"),
          full(
              "early-stopping", "free growth over length kept, rotation", "turn %.2f times as far"),
          full("early-stopping", "no norm, best test", "norm it is %.1f %%."));
}
