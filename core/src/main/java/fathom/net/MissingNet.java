package fathom.net;

import fathom.io.Spelling;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;

/// Says of a name that stands for no net which nets there are.
final class MissingNet {
  private MissingNet() {}

  /// Returns the refusal of this name for data of a kind, such as `images`, whose nets are `these`.
  static IllegalArgumentException of(String name, String what, List<String> these) {
    List<String> others = otherThan(these);
    String plain = name.toLowerCase(Locale.ROOT);
    String there =
        what.equals("images")
            ? "for images there are resnetN, plainN and preresnetN for N = 6n+2 (resnet20, plain56, preresnet110, ...), "
                + String.join(", ", PhotoNet.names())
                + ", "
                + String.join(", ", PreActivationPhotoNet.names())
                + ", "
                + Architecture.PERCEPTRON
                + ", "
                + String.join(", ", Architecture.RECURRENT)
            : "for %s there are %s".formatted(what, String.join(", ", these));
    if (others.contains(plain) || Architecture.CONVOLUTIONAL.matcher(plain).matches()) {
      return new IllegalArgumentException(
          "%s learns %s, but the data is %s; %s".formatted(plain, learns(plain), what, there));
    }
    var all = new ArrayList<>(these);
    all.addAll(others);
    return new IllegalArgumentException(
        "there is no model \"%s\"%s; %s"
            .formatted(
                name,
                Spelling.nearest(name, all).map(": did you mean %s?"::formatted).orElse(""),
                there));
  }

  private static String learns(String plain) {
    return Architecture.masksNames().contains(plain)
        ? "masks, which are given as masks:DIR"
        : plain.equals(Architecture.TRANSFORMER) ? "text, which is given as text:FILE" : "images";
  }

  private static List<String> otherThan(List<String> these) {
    var others = new LinkedHashSet<>(Architecture.imagesNames());
    others.addAll(Architecture.textNames());
    others.addAll(Architecture.masksNames());
    others.removeAll(these);
    return List.copyOf(others);
  }
}
