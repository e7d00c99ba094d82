package fathom.lab.layernorm;

import fathom.Param;
import fathom.Scope;
import fathom.data.Text;
import fathom.lab.layernorm.Course.Plan;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.net.CharacterNet;
import fathom.net.LanguageModel;
import fathom.nn.Init;
import fathom.optim.Adam;
import fathom.optim.Schedule;
import fathom.task.CharacterModel;
import fathom.train.Metrics;
import java.util.Optional;

/// Measures whether layer norm trains an LSTM on text faster, and which initial gains are better.
/// Source of the claim: Ba et al. 2016, section 6.2, figure 2; rows 35 and 36 of the project's list
/// of claims, predictions.
///
/// The text replaces the paper's questions and answers. The net has one LSTM layer of 64 units,
/// windows of 50 characters and 32 streams, and is trained with Adam at the learning rate 0.002.
/// The gains of layer norm start at 1, as in the paper, or at 0.1, as for recurrent batch norm (Ba
/// et al. 2016, section 6.2).
///
/// The experiment does not reproduce the paper's task, and compares at one learning rate only.
final class RecurrentText implements Experiment {
  private static final int STREAMS = 32;
  private static final int WINDOW = 50;

  @Override
  public Statement statement() {
    return new Statement(
        "ln-lstm-text",
        "Does layer norm train a recurrent net on text faster, and where shall its gains begin?",
        "With layer norm an LSTM is no worse on held-out text at half of the steps than without,"
            + " and gains of 1 are better than gains of 0.1.",
        "Ba et al. 2016, section 6.2, figure 2; rows 35 and 36",
        "60 s");
  }

  @Override
  public Optional<String> missing() {
    return TextSample.missing();
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    int steps = size.of(2, 40, 200);
    int epochs = size.of(2, 4, 10);
    Text text = TextSample.of(steps * STREAMS * WINDOW, size.of(2_000, 10_000, 100_000));
    double plain = halfway("lstm", 1, text, epochs, seed, note);
    double normed = halfway("ln-lstm", 1, text, epochs, seed, note);
    double low = halfway("ln-lstm", 0.1, text, epochs, seed, note);
    note.measure("half of the steps, ln-lstm less lstm, bits", normed - plain, Bound.atMost(0));
    note.measure(
        "half of the steps, gains of 0.1 less gains of 1, bits", low - normed, Bound.atLeast(0));
  }

  private static double halfway(
      String name, double gain, Text text, int epochs, long seed, Notebook note) {
    CharacterNet net =
        CharacterNet.named(name)
            .withHidden(64)
            .withLayers(1)
            .withVocabulary(text.vocabulary().size());
    var plan = new Plan(Adam.of(), Schedule.constant(0.002), epochs, STREAMS);
    Course course =
        Course.of(
            init -> scaled(net, init, gain), CharacterModel.of(text, WINDOW), plan, seed, note);
    String arm = name + (gain == 1 ? "" : ", gains of " + gain);
    double half = course.after(epochs / 2, RecurrentText::bits);
    note.measure(arm + ", bits per held-out character at half of the steps", half);
    note.measure(
        arm + ", bits per held-out character at the end", course.last(RecurrentText::bits));
    course.draw("Held-out text", "bits per character", arm, RecurrentText::bits, note);
    return half;
  }

  private static double bits(Metrics.Epoch epoch) {
    return epoch.testLoss() / Math.log(2);
  }

  /// Returns the net with the gains of its recurrent layer starting at `gain` instead of 1.
  private static LanguageModel scaled(CharacterNet net, Init init, double gain) {
    LanguageModel built = net.build(init);
    if (gain != 1) {
      built.state().forEach((path, param) -> scale(path, param, gain));
    }
    return built;
  }

  private static void scale(String path, Param param, double gain) {
    if (path.contains("gain")) {
      try (var _ = Scope.open()) {
        param.value().copy_(param.value().times(gain));
      }
    }
  }
}
