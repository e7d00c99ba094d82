package fathom.net;

import fathom.Node;
import fathom.nn.Dense;
import fathom.nn.Init;
import fathom.recurrent.Encoder;
import fathom.recurrent.GateNorm;
import fathom.recurrent.Kind;
import fathom.recurrent.Recurrent;
import fathom.recurrent.RecurrentLayer;
import fathom.recurrent.RecurrentResidual;
import fathom.recurrent.Stack;
import fathom.recurrent.TimeDistributed;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The part of a net that reads a sequence, described by its name.
///
/// @param kind the kind of its recurrent layers; null for a transformer
/// @param normed whether its gates have layer norm
record Backbone(String name, @Nullable Kind kind, boolean normed) {
  private static final Map<String, Backbone> BY_NAME = new LinkedHashMap<>();

  static {
    for (Kind kind : Kind.values()) {
      String plain = kind.name().toLowerCase(Locale.ROOT);
      BY_NAME.put(plain, new Backbone(plain, kind, false));
      BY_NAME.put("ln-" + plain, new Backbone("ln-" + plain, kind, true));
    }
    BY_NAME.put("transformer", new Backbone("transformer", null, false));
  }

  /// Returns the backbone of this name. Throws `IllegalArgumentException` if there is none.
  static Backbone named(String name) {
    Backbone backbone = BY_NAME.get(name.toLowerCase(Locale.ROOT));
    if (backbone == null) {
      throw new IllegalArgumentException(
          "there is no model \"%s\" for sequences; there are %s".formatted(name, names()));
    }
    return backbone;
  }

  static List<String> names() {
    return List.copyOf(BY_NAME.keySet());
  }

  GateNorm usualNorm() {
    return normed ? GateNorm.LAYER : GateNorm.NONE;
  }

  /// Throws `IllegalArgumentException` if the norm contradicts the name.
  void check(GateNorm norm) {
    if (normed != (norm != GateNorm.NONE)) {
      throw new IllegalArgumentException(
          "\"%s\" has %s norm in its gates, but %s was asked for; a name that begins with ln- has one, and no other"
              .formatted(name, normed ? "a" : "no", norm));
    }
  }

  boolean transformer() {
    return kind == null;
  }

  /// Builds `layers` recurrent layers of `hidden` units over `in` features, or a transformer. From
  /// the second layer on, each has a residual connection around it; the first has none, because its
  /// input is another kind of signal than its output.
  Recurrent build(
      Init init, String path, GateNorm norm, int in, int hidden, int layers, int window) {
    if (kind == null) {
      return Encoder.of(init, path, window, hidden, layers, heads(hidden));
    }
    var stacked = new ArrayList<Recurrent>();
    for (int i = 0; i < layers; i++) {
      var layer =
          RecurrentLayer.of(
              init, Node.path(path, Integer.toString(i)), kind, norm, i == 0 ? in : hidden, hidden);
      stacked.add(i == 0 ? layer : new RecurrentResidual(layer));
    }
    return new Stack(stacked);
  }

  /// Builds the backbone over features whose number need not be `hidden`. A transformer keeps its
  /// width, so a dense layer maps the features to it first.
  Recurrent buildOver(
      Init init, String path, GateNorm norm, int in, int hidden, int layers, int window) {
    if (kind != null) {
      return build(init, path, norm, in, hidden, layers, window);
    }
    return new Stack(
        List.of(
            new TimeDistributed(Dense.of(init, Node.path(path, "0"), in, hidden)),
            build(init, Node.path(path, "1"), norm, hidden, hidden, layers, window)));
  }

  /// Returns the number of attention heads: the largest divisor of the width that leaves at least
  /// 64 features for each head, or 1.
  static int heads(int width) {
    int heads = Math.max(1, width / 64);
    while (width % heads != 0) {
      heads--;
    }
    return heads;
  }
}
