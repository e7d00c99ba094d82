package fathom.net;

import fathom.nn.Dense;
import fathom.nn.Embedding;
import fathom.nn.Init;
import fathom.recurrent.GateNorm;
import java.util.List;

/// A language model over characters: an embedding as wide as the net, a backbone, and a dense layer
/// that gives a logit for each character.
///
/// The backbone is a stack of recurrent layers with residual connections from the second layer on
/// (`rnn`, `lstm`, `gru`, and with layer norm in their gates `ln-rnn`, `ln-lstm`, `ln-gru`; Ba et
/// al. 2016, eq. 4, 20-22, 26-28), or a `transformer` of causal pre-norm blocks.
///
/// @param norm the norm inside the gates
/// @param hidden the hidden size H: the units of a recurrent layer, or the width of the
///   transformer; also the width of the embedding
/// @param layers the number of recurrent layers, or of blocks of a transformer
/// @param vocabulary the number of characters, K
/// @param window the length of the longest text of a transformer; a recurrent net accepts any
///   length
public record CharacterNet(
    String name, GateNorm norm, int hidden, int layers, int vocabulary, int window)
    implements Architecture.OfText {
  /// Throws `IllegalArgumentException` for an unknown name, a norm that contradicts the name, or a
  /// size below 1.
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

  /// Returns the net of this name: two recurrent layers of 256 units, or a transformer of four
  /// blocks with width 128, with a window of 100 and a vocabulary of the 256 values of a byte.
  /// Throws `IllegalArgumentException` with the known names if there is none.
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

  /// The names that [#named] accepts.
  public static List<String> names() {
    return Backbone.names();
  }

  @Override
  public Options options() {
    return new Options(null, null, null, hidden, layers);
  }

  /// Returns this net with another norm inside the gates, which must not contradict the name.
  public CharacterNet withGateNorm(GateNorm norm) {
    return new CharacterNet(name, norm, hidden, layers, vocabulary, window);
  }

  /// Returns this net with another hidden size.
  public CharacterNet withHidden(int hidden) {
    return new CharacterNet(name, norm, hidden, layers, vocabulary, window);
  }

  /// Returns this net with another number of layers.
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
