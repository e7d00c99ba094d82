package fathom.net;

import fathom.Layer;
import fathom.Layer.Child;
import fathom.nn.Chain;
import fathom.nn.Dense;
import fathom.nn.Dropout;
import fathom.nn.Flatten;
import fathom.nn.Init;
import fathom.nn.Relu;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// A multilayer perceptron: dense layers with ReLU between them, which treat an image as a set of
/// numbers. It is the permutation-invariant MNIST net of the layer norm paper (Ba et al. 2016,
/// section 6.6), with norms on the hidden layers only.
///
/// Parameters are named `hidden1.weight`, `norm1.weight`, ..., `linear.weight`.
///
/// @param hidden the features of each hidden layer; 1000 and 1000 in the paper
/// @param norm the normalization of the hidden layers
/// @param biasBeforeNorm whether a hidden layer has a bias before its norm, besides the norm's own
///   bias behind it. Without a norm, and before an anchored norm, there is exactly one bias in any
///   case
/// @param dropout the probability with which a training step drops an activation of a hidden layer
public record Mlp(
    List<Integer> hidden,
    Norm norm,
    boolean biasBeforeNorm,
    double dropout,
    ImageShape input,
    int classes)
    implements Architecture.OfClasses {
  /// Throws `IllegalArgumentException` if there is no hidden layer, or a size is below 1.
  public Mlp {
    hidden = List.copyOf(hidden);
    if (hidden.isEmpty()) {
      throw new IllegalArgumentException(
          "a multilayer perceptron has at least one hidden layer, but was given 0; a net without one"
              + " is Chain.of(new Flatten(), Dense.of(...))");
    }
    for (int features : hidden) {
      if (features < 1) {
        throw new IllegalArgumentException(
            "a hidden layer has at least one feature, but these have " + hidden);
      }
    }
    if (classes < 1 || input.channels() < 1 || input.height() < 1 || input.width() < 1) {
      throw new IllegalArgumentException(
          "classes and image sizes are at least 1, but are %s and %s".formatted(classes, input));
    }
  }

  /// Returns the net of the paper, named `mlp`: two hidden layers of 1000 features, layer norm,
  /// 1×28×28 images of ten classes. Throws `IllegalArgumentException` for another name.
  public static Mlp named(String name) {
    if (!name.toLowerCase(Locale.ROOT).equals("mlp")) {
      throw new IllegalArgumentException("there is no model \"%s\"; there is mlp".formatted(name));
    }
    return new Mlp(List.of(1000, 1000), Norm.LAYER, false, 0, new ImageShape(1, 28, 28), 10);
  }

  @Override
  public String name() {
    return "mlp";
  }

  @Override
  public Options options() {
    return new Options(null, norm, null, hidden.getFirst(), hidden.size(), dropout);
  }

  /// Returns this net with another normalization.
  public Mlp withNorm(Norm norm) {
    return new Mlp(hidden, norm, biasBeforeNorm, dropout, input, classes);
  }

  /// Returns this net with hidden layers of these numbers of features.
  public Mlp withHidden(List<Integer> hidden) {
    return new Mlp(hidden, norm, biasBeforeNorm, dropout, input, classes);
  }

  /// Returns this net with or without biases before its norms.
  public Mlp withBiasBeforeNorm(boolean biasBeforeNorm) {
    return new Mlp(hidden, norm, biasBeforeNorm, dropout, input, classes);
  }

  /// Returns this net with dropout behind each hidden layer, with this probability.
  public Mlp withDropout(double dropout) {
    return new Mlp(hidden, norm, biasBeforeNorm, dropout, input, classes);
  }

  @Override
  public Mlp on(ImageShape input, int classes) {
    return new Mlp(hidden, norm, biasBeforeNorm, dropout, input, classes);
  }

  @Override
  public Layer build(Init init) {
    var layers = new ArrayList<Child>();
    layers.add(new Child("flatten", new Flatten()));
    int in =
        Math.multiplyExact(Math.multiplyExact(input.channels(), input.height()), input.width());
    for (int i = 1; i <= hidden.size(); i++) {
      int out = hidden.get(i - 1);
      String name = "hidden" + i;
      layers.add(new Child(name, norm.weighted(hidden(init, name, in, out))));
      layers.add(new Child("norm" + i, norm.layer(out)));
      layers.add(new Child("relu" + i, new Relu()));
      if (dropout > 0) {
        layers.add(new Child("dropout" + i, new Dropout(dropout, "dropout" + i)));
      }
      in = out;
    }
    layers.add(new Child("linear", Dense.of(init, "linear", in, classes)));
    return new Chain(layers);
  }

  private Dense hidden(Init init, String name, int in, int out) {
    boolean normed = norm != Norm.WEIGHT && norm != Norm.NONE && norm != Norm.ANCHORED;
    return biasBeforeNorm && normed
        ? Dense.of(init, name, in, out)
        : Dense.withoutBias(init, name, in, out);
  }
}
