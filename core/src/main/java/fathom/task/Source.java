package fathom.task;

import fathom.Shape;
import java.util.function.IntUnaryOperator;

/// Examples by their index: arrays, the rows of a file or of a database, or what a function makes.
/// Several threads read it at once, each index any number of times, and it must give the same each
/// time.
public interface Source {
  int count();

  /// The shape of one input.
  Shape shape();

  /// Input `i` in row-major order.
  float[] input(int i);

  /// What is to be predicted from it, in row-major order; for a classifier, the class alone,
  /// counted from 0.
  float[] target(int i);

  /// Rows of numbers and what is to be predicted from each.
  static Source of(float[][] inputs, float[][] targets) {
    if (inputs.length != targets.length || inputs.length == 0) {
      throw new IllegalArgumentException(
          "every input has a target and there is at least one, but there are %s inputs and %s targets"
              .formatted(inputs.length, targets.length));
    }
    Shape shape = Shape.of(inputs[0].length);
    return new Source() {
      @Override
      public int count() {
        return inputs.length;
      }

      @Override
      public Shape shape() {
        return shape;
      }

      @Override
      public float[] input(int i) {
        return inputs[i];
      }

      @Override
      public float[] target(int i) {
        return targets[i];
      }
    };
  }

  /// Rows of numbers and the class of each.
  static Source ofClasses(float[][] inputs, int[] labels) {
    float[][] targets = new float[labels.length][];
    for (int i = 0; i < labels.length; i++) {
      targets[i] = new float[] {labels[i]};
    }
    return of(inputs, targets);
  }

  /// The same inputs in another shape of as many elements: images as C×H×W.
  default Source shaped(long... shape) {
    Shape to = Shape.of(shape);
    if (to.elements() != shape().elements()) {
      throw new IllegalArgumentException(
          "a shape of as many elements is needed, but %s is to become %s".formatted(shape(), to));
    }
    return with(count(), to, i -> i);
  }

  /// Those at the places that `index` gives for 0 to `count - 1`.
  default Source select(int count, IntUnaryOperator index) {
    return with(count, shape(), index);
  }

  private Source with(int count, Shape shape, IntUnaryOperator index) {
    Source all = this;
    return new Source() {
      @Override
      public int count() {
        return count;
      }

      @Override
      public Shape shape() {
        return shape;
      }

      @Override
      public float[] input(int i) {
        return all.input(index.applyAsInt(i));
      }

      @Override
      public float[] target(int i) {
        return all.target(index.applyAsInt(i));
      }
    };
  }
}
