package fathom.net;

import fathom.nn.Dense;
import fathom.nn.Embedding;
import fathom.nn.Init;
import fathom.recurrent.GateNorm;
import java.util.List;

/// A language model over characters: an embedding as wide as the net, a backbone, and a dense layer
/// to a score for each character.
///
/// The backbone is a stack of recurrent layers (`rnn`, `lstm`, `gru`, and with layer norm in their
/// gates `ln-rnn`, `ln-lstm`, `ln-gru`; Ba et al. 2016, eq. 4, 20-22, 26-28) with residual
/// connections from the second layer on, or a `transformer` of causal pre-norm blocks.
///
/// @param hidden H, the units of a recurrent layer, and the width of the embedding
/// @param layers the recurrent layers, or the blocks of a transformer
/// @param vocabulary K
/// @param window the longest text of a transformer; a recurrent net takes any
public record CharacterNet(
    String name, GateNorm norm, int hidden, int layers, int vocabulary, int window)
    implements Architecture.OfText {
  /// Throws `IllegalArgumentException` for an unknown name, a norm that contradicts it, or a size
  /// below 1.
  public CharacterNet {
    Backbone backbone = Backbone.named(name);
    name = backbone.name();
    backbone.check(norm);
    if (hidden < 1 || layers < 1 || vocabulary < 1 || window < 1) {
      throw new IllegalArgumentException(
          "the sizes of a net are at least 1, but hidden, layers, vocabulary and window are %s, %s, %s and %s"
              .formatted(hidden, layers, vocabulary, window));
    }
  }

  /// Two layers of 256 units, or a transformer of four blocks 128 wide; a window of 100 and the 256
  /// values of a byte. Throws `IllegalArgumentException`, with the names that there are, for
  /// another.
  public static CharacterNet named(String name) {
    Backbone backbone = Backbone.named(name);
    return new CharacterNet(
        backbone.name(),
        backbone.usualNorm(),
        backbone.transformer() ? 128 : 256,
        backbone.transformer() ? 4 : 2,
        256,
        100);
  }

  /// The names that [#named] knows.
  public static List<String> names() {
    return Backbone.names();
  }

  @Override
  public Options options() {
    return new Options(null, null, null, hidden, layers);
  }

  public CharacterNet withGateNorm(GateNorm norm) {
    return new CharacterNet(name, norm, hidden, layers, vocabulary, window);
  }

  public CharacterNet withHidden(int hidden) {
    return new CharacterNet(name, norm, hidden, layers, vocabulary, window);
  }

  public CharacterNet withLayers(int layers) {
    return new CharacterNet(name, norm, hidden, layers, vocabulary, window);
  }

  @Override
  public CharacterNet withVocabulary(int vocabulary) {
    return new CharacterNet(name, norm, hidden, layers, vocabulary, window);
  }

  @Override
  public CharacterNet withWindow(int window) {
    return new CharacterNet(name, norm, hidden, layers, vocabulary, window);
  }

  @Override
  public LanguageModel build(Init init) {
    Backbone backbone = Backbone.named(name);
    return new LanguageModel(
        Embedding.of(init, "embedding", vocabulary, hidden),
        backbone.build(init, "body", norm, hidden, hidden, layers, window),
        Dense.of(init, "head", hidden, vocabulary),
        backbone.transformer() ? window : 0);
  }
}
