package fathom.task;

import fathom.Shape;
import java.util.function.IntFunction;
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
    return of(inputs.length, i -> inputs[i], i -> targets[i]);
  }

  /// What two functions give for 0 to `count - 1`, which several threads call at once. All inputs
  /// are as long as the first one.
  static Source of(int count, IntFunction<float[]> input, IntFunction<float[]> target) {
    if (count < 1) {
      throw new IllegalArgumentException(
          "a source has at least one example, but was given " + count);
    }
    return made(count, Shape.of(input.apply(0).length), input, target);
  }

  private static Source made(
      int count, Shape shape, IntFunction<float[]> input, IntFunction<float[]> target) {
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
        return input.apply(i);
      }

      @Override
      public float[] target(int i) {
        return target.apply(i);
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
    return made(count, shape, i -> input(index.applyAsInt(i)), i -> target(index.applyAsInt(i)));
  }
}
