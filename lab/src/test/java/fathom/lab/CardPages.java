package fathom.lab;

import static fathom.lab.Figure.quick;

import java.util.List;

/// What stands in `does-layer-norm-wipe-out-information.md` of agents that play, of nets that read
/// cards one by one or as a set, and of Baird's counterexample; the rest is in [NormPages].
final class CardPages {
  private CardPages() {}

  static final List<Figure> FIGURES =
      List.of(
          quick("cards-play", "basic strategy, expectation", "| basic strategy | | %.2f"),
          quick("cards-play", "basic strategy, played", "| basic strategy | | −0.37 | %.2f"),
          quick("cards-play", "basic strategy, half", "| basic strategy | | −0.37 | −0.46 ± %.2f"),
          quick("cards-play", "no norm, expectation", "| no norm | yes | %.2f"),
          quick("cards-play", "no norm, played", "| no norm | yes | −0.72 | %.2f"),
          quick("cards-play", "no norm, half", "| no norm | yes | −0.72 | −0.51 ± %.2f"),
          quick("cards-play", "no norm, moves", "| no norm | yes | −0.72 | −0.51 ± 0.22 | %.0f %%"),
          quick(
              "cards-play",
              "layer norm, no bias before it, expectation",
              "| layer norm, no bias before it | yes | %.2f"),
          quick(
              "cards-play",
              "layer norm, no bias before it, played",
              "| layer norm, no bias before it | yes | −0.67 | %.2f"),
          quick(
              "cards-play",
              "layer norm, no bias before it, half",
              "| layer norm, no bias before it | yes | −0.67 | −0.47 ± %.2f"),
          quick(
              "cards-play",
              "layer norm, no bias before it, moves",
              "| layer norm, no bias before it | yes | −0.67 | −0.47 ± 0.22 | %.0f %%"),
          quick(
              "cards-play",
              "layer norm behind a bias, expectation",
              "| layer norm behind a bias | yes | %.2f"),
          quick(
              "cards-play",
              "layer norm behind a bias, played",
              "| layer norm behind a bias | yes | −0.66 | %.2f"),
          quick(
              "cards-play",
              "layer norm behind a bias, half",
              "| layer norm behind a bias | yes | −0.66 | −0.47 ± %.2f"),
          quick(
              "cards-play",
              "layer norm behind a bias, moves",
              "| layer norm behind a bias | yes | −0.66 | −0.47 ± 0.22 | %.0f %%"),
          quick("cards-play", "no norm, no target net, expectation", "| no norm | no | %.2f"),
          quick("cards-play", "no norm, no target net, played", "| no norm | no | −0.75 | %.2f"),
          quick(
              "cards-play",
              "no norm, no target net, half",
              "| no norm | no | −0.75 | −0.54 ± %.2f"),
          quick(
              "cards-play",
              "no norm, no target net, moves",
              "| no norm | no | −0.75 | −0.54 ± 0.22 | %.0f %%"),
          quick(
              "cards-play",
              "layer norm, no bias before it, no target net, expectation",
              "| layer norm, no bias before it | no | %.2f"),
          quick(
              "cards-play",
              "layer norm, no bias before it, no target net, played",
              "| layer norm, no bias before it | no | −0.67 | %.2f"),
          quick(
              "cards-play",
              "layer norm, no bias before it, no target net, half",
              "| layer norm, no bias before it | no | −0.67 | −0.47 ± %.2f"),
          quick(
              "cards-play",
              "layer norm, no bias before it, no target net, moves",
              "| layer norm, no bias before it | no | −0.67 | −0.47 ± 0.22 | %.0f %%"),
          quick(
              "cards-play",
              "layer norm behind a bias, no target net, expectation",
              "| layer norm behind a bias | no | %.2f"),
          quick(
              "cards-play",
              "layer norm behind a bias, no target net, played",
              "| layer norm behind a bias | no | −0.62 | %.2f"),
          quick(
              "cards-play",
              "layer norm behind a bias, no target net, half",
              "| layer norm behind a bias | no | −0.62 | −0.42 ± %.2f"),
          quick(
              "cards-play",
              "layer norm behind a bias, no target net, moves",
              "| layer norm behind a bias | no | −0.62 | −0.42 ± 0.22 | %.0f %%"),
          quick(
              "cards-play",
              "no norm, learning rate ×5, expectation",
              "| no norm, learning rate ×5 | yes | %.2f"),
          quick(
              "cards-play",
              "no norm, learning rate ×5, played",
              "| no norm, learning rate ×5 | yes | −2.30 | %.2f"),
          quick(
              "cards-play",
              "no norm, learning rate ×5, half",
              "| no norm, learning rate ×5 | yes | −2.30 | −2.13 ± %.2f"),
          quick(
              "cards-play",
              "no norm, learning rate ×5, moves",
              "| no norm, learning rate ×5 | yes | −2.30 | −2.13 ± 0.22 | %.0f %%"),
          quick(
              "cards-play",
              "layer norm, no bias before it, learning rate ×5, expectation",
              "| layer norm, learning rate ×5 | yes | %.2f"),
          quick(
              "cards-play",
              "layer norm, no bias before it, learning rate ×5, played",
              "| layer norm, learning rate ×5 | yes | −0.96 | %.2f"),
          quick(
              "cards-play",
              "layer norm, no bias before it, learning rate ×5, half",
              "| layer norm, learning rate ×5 | yes | −0.96 | −0.73 ± %.2f"),
          quick(
              "cards-play",
              "layer norm, no bias before it, learning rate ×5, moves",
              "| layer norm, learning rate ×5 | yes | −0.96 | −0.73 ± 0.22 | %.0f %%"),
          quick(
              "cards-play",
              "no norm, no target net, learning rate ×5, expectation",
              "| no norm, learning rate ×5 | no | %.2f"),
          quick(
              "cards-play",
              "no norm, no target net, learning rate ×5, played",
              "| no norm, learning rate ×5 | no | −7.74 | %.2f"),
          quick(
              "cards-play",
              "no norm, no target net, learning rate ×5, half",
              "| no norm, learning rate ×5 | no | −7.74 | −7.79 ± %.2f"),
          quick(
              "cards-play",
              "no norm, no target net, learning rate ×5, moves",
              "| no norm, learning rate ×5 | no | −7.74 | −7.79 ± 0.21 | %.0f %%"),
          quick(
              "cards-play",
              "layer norm, no bias before it, no target net, learning rate ×5, expectation",
              "| layer norm, learning rate ×5 | no | %.2f"),
          quick(
              "cards-play",
              "layer norm, no bias before it, no target net, learning rate ×5, played",
              "| layer norm, learning rate ×5 | no | −0.90 | %.2f"),
          quick(
              "cards-play",
              "layer norm, no bias before it, no target net, learning rate ×5, half",
              "| layer norm, learning rate ×5 | no | −0.90 | −0.77 ± %.2f"),
          quick(
              "cards-play",
              "layer norm, no bias before it, no target net, learning rate ×5, moves",
              "| layer norm, learning rate ×5 | no | −0.90 | −0.77 ± 0.22 | %.0f %%"),
          quick(
              "cards-play",
              "no norm, no target net, learning rate ×5, exp",
              "and comes to %.2f in a"),
          quick("cards-play", "no norm, learning rate ×5, exp", "come to %.2f and −0.96"),
          quick("cards-reader", "RNN, R² of running count after 20", "| RNN | %.3f"),
          quick("cards-reader", "RNN, R² of running count after 60", "| RNN | 0.987 | %.2f"),
          quick(
              "cards-reader", "RNN, error of running count after 60", "| RNN | 0.987 | 0.71 (%.1f"),
          quick("cards-reader", "RNN, R² of tens after 20", "| RNN | 0.987 | 0.71 (3.3) | %.3f"),
          quick(
              "cards-reader",
              "RNN, R² of tens after 60",
              "| RNN | 0.987 | 0.71 (3.3) | 0.965 | %.1f"),
          quick(
              "cards-reader",
              "RNN, error of tens after 60",
              "| RNN | 0.987 | 0.71 (3.3) | 0.965 | −9.2 (%.1f"),
          quick("cards-reader", "LN-RNN, R² of running count after 20", "| LN-RNN | %.3f"),
          quick("cards-reader", "LN-RNN, R² of running count after 60", "| LN-RNN | 0.986 | %.2f"),
          quick(
              "cards-reader",
              "LN-RNN, error of running count after 60",
              "| LN-RNN | 0.986 | 0.54 (%.1f"),
          quick(
              "cards-reader",
              "LN-RNN, R² of tens after 20",
              "| LN-RNN | 0.986 | 0.54 (4.0) | %.3f"),
          quick(
              "cards-reader",
              "LN-RNN, R² of tens after 60",
              "| LN-RNN | 0.986 | 0.54 (4.0) | 0.961 | %.1f"),
          quick(
              "cards-reader",
              "LN-RNN, error of tens after 60",
              "| LN-RNN | 0.986 | 0.54 (4.0) | 0.961 | −8.5 (%.1f"),
          quick("cards-reader", "LSTM, R² of running count after 20", "| LSTM | %.3f"),
          quick("cards-reader", "LSTM, R² of running count after 60", "| LSTM | 0.999 | %.2f"),
          quick(
              "cards-reader",
              "LSTM, error of running count after 60",
              "| LSTM | 0.999 | 0.85 (%.1f"),
          quick("cards-reader", "LSTM, R² of tens after 20", "| LSTM | 0.999 | 0.85 (2.3) | %.3f"),
          quick(
              "cards-reader",
              "LSTM, R² of tens after 60",
              "| LSTM | 0.999 | 0.85 (2.3) | 0.998 | %.1f"),
          quick(
              "cards-reader",
              "LSTM, error of tens after 60",
              "| LSTM | 0.999 | 0.85 (2.3) | 0.998 | −4.3 (%.1f"),
          quick("cards-reader", "LN-LSTM, R² of running count after 20", "| LN-LSTM | %.3f"),
          quick(
              "cards-reader", "LN-LSTM, R² of running count after 60", "| LN-LSTM | 0.998 | %.2f"),
          quick(
              "cards-reader",
              "LN-LSTM, error of running count after 60",
              "| LN-LSTM | 0.998 | 0.74 (%.1f"),
          quick(
              "cards-reader",
              "LN-LSTM, R² of tens after 20",
              "| LN-LSTM | 0.998 | 0.74 (3.1) | %.3f"),
          quick(
              "cards-reader",
              "LN-LSTM, R² of tens after 60",
              "| LN-LSTM | 0.998 | 0.74 (3.1) | 0.995 | %.1f"),
          quick(
              "cards-reader",
              "LN-LSTM, error of tens after 60",
              "| LN-LSTM | 0.998 | 0.74 (3.1) | 0.995 | −7.7 (%.1f"),
          quick("cards-reader", "LSTM less LN-LSTM, R² of running", "cost the LSTM: %.2f"),
          quick(
              "cards-reader", "LSTM, mean of the hidden state, R² of tens", "tens with R² = %.2f"),
          quick(
              "cards-reader",
              "LSTM, standard deviation of the hidden state, R² of tens",
              "standard deviation with %.2f"),
          quick(
              "cards-reader",
              "LN-LSTM, mean of the hidden state, R² of tens",
              "with layer norm %.2f"),
          quick(
              "cards-reader",
              "LN-LSTM, standard deviation of the hidden state, R² of tens",
              "with layer norm 0.08 and %.2f"),
          quick(
              "cards-reader",
              "LN-LSTM, whole of the hidden state, R² of tens",
              "whole state with %.2f"),
          quick("cards-pooled", "no norm, most frequent rank, right of 20", "| no norm | %.1f %%"),
          quick(
              "cards-pooled",
              "no norm, most frequent rank, right of 60",
              "| no norm | 100.0 %% | %.1f %%"),
          quick(
              "cards-pooled",
              "no norm, most frequent rank, right of 240",
              "| no norm | 100.0 %% | 99.9 %% | %.1f %%"),
          quick(
              "cards-pooled",
              "no norm, R² of the count per card, 20",
              "| no norm | 100.0 %% | 99.9 %% | 99.1 %% | %.3f"),
          quick(
              "cards-pooled",
              "no norm, R² of the count per card, 60",
              "| no norm | 100.0 %% | 99.9 %% | 99.1 %% | 0.994 | %.2f"),
          quick(
              "cards-pooled",
              "no norm, R² of the count per card, 240",
              "| no norm | 100.0 %% | 99.9 %% | 99.1 %% | 0.994 | 0.99 | %.2f"),
          quick(
              "cards-pooled",
              "layer norm, no bias before it, most frequent rank, right of 20",
              "| layer norm, no bias before it | %.1f %%"),
          quick(
              "cards-pooled",
              "layer norm, no bias before it, most frequent rank, right of 60",
              "| layer norm, no bias before it | 100.0 %% | %.1f %%"),
          quick(
              "cards-pooled",
              "layer norm, no bias before it, most frequent rank, right of 240",
              "| layer norm, no bias before it | 100.0 %% | 99.8 %% | %.1f %%"),
          quick(
              "cards-pooled",
              "layer norm, no bias before it, R² of the count per card, 20",
              "| layer norm, no bias before it | 100.0 %% | 99.8 %% | 99.3 %% | %.3f"),
          quick(
              "cards-pooled",
              "layer norm, no bias before it, R² of the count per card, 60",
              "| layer norm, no bias before it | 100.0 %% | 99.8 %% | 99.3 %% | 0.958 | %.2f"),
          quick(
              "cards-pooled",
              "layer norm, no bias before it, R² of the count per card, 240",
              "| layer norm, no bias before it | 100.0 %% | 99.8 %% | 99.3 %% | 0.958 | 0.20 | %.1f"),
          quick(
              "cards-pooled",
              "layer norm behind a bias, most frequent rank, right of 20",
              "| layer norm behind a bias | %.1f %%"),
          quick(
              "cards-pooled",
              "layer norm behind a bias, most frequent rank, right of 60",
              "| layer norm behind a bias | 100.0 %% | %.1f %%"),
          quick(
              "cards-pooled",
              "layer norm behind a bias, most frequent rank, right of 240",
              "| layer norm behind a bias | 100.0 %% | 99.8 %% | %.1f %%"),
          quick(
              "cards-pooled",
              "layer norm behind a bias, R² of the count per card, 20",
              "| layer norm behind a bias | 100.0 %% | 99.8 %% | 88.2 %% | %.3f"),
          quick(
              "cards-pooled",
              "layer norm behind a bias, R² of the count per card, 60",
              "| layer norm behind a bias | 100.0 %% | 99.8 %% | 88.2 %% | 0.964 | %.2f"),
          quick(
              "cards-pooled",
              "layer norm behind a bias, R² of the count per card, 240",
              "| layer norm behind a bias | 100.0 %% | 99.8 %% | 88.2 %% | 0.964 | 0.43 | %.1f"),
          quick("off-policy", "no norm, updates", "10⁹ after %.0f updates"),
          quick("off-policy", "layer norm, largest value on", "goes up to %.0f and"),
          quick("off-policy", "layer norm, largest value at the end", "to %.2f after 5000"),
          quick(
              "off-policy",
              "layer norm and weight decay, largest value at the end",
              "decay to %.3f."),
          quick("off-policy", "linear, largest", "12 to %.0f in 1000"),
          quick("off-policy", "linear, of the layer norm", "layer norm to %.0f."));
}
