package fathom.task;

import fathom.Shape;
import java.util.function.IntFunction;
import java.util.function.IntUnaryOperator;

/// Examples by their index: arrays, rows of a file or of a database, or the results of a function.
/// Several threads read it at the same time, each index any number of times, and must get the same
/// data each time.
public interface Source {
  /// Returns the number of examples.
  int count();

  /// Returns the shape of one input.
  Shape shape();

  /// Returns input `i` in row-major order.
  float[] input(int i);

  /// Returns the target of input `i` in row-major order. For a classifier the target is one number,
  /// the class, counted from 0.
  float[] target(int i);

  /// Returns a source of rows of numbers and the target of each. Throws `IllegalArgumentException`
  /// unless there is at least one input and a target for each.
  static Source of(float[][] inputs, float[][] targets) {
    if (inputs.length != targets.length || inputs.length == 0) {
      throw new IllegalArgumentException(
          "every input has a target and there is at least one, but there are %s inputs and %s targets"
              .formatted(inputs.length, targets.length));
    }
    return of(inputs.length, i -> inputs[i], i -> targets[i]);
  }

  /// Returns a source of the results of two functions for 0 to `count - 1`, which several threads
  /// call at the same time. All inputs must be as long as the first one. Throws
  /// `IllegalArgumentException` if `count` is below 1.
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

  /// Returns a source of rows of numbers and the class of each, counted from 0.
  static Source ofClasses(float[][] inputs, int[] labels) {
    float[][] targets = new float[labels.length][];
    for (int i = 0; i < labels.length; i++) {
      targets[i] = new float[] {labels[i]};
    }
    return of(inputs, targets);
  }

  /// Returns the same inputs in another shape of as many elements, such as C×H×W for images. Throws
  /// `IllegalArgumentException` if the number of elements differs.
  default Source shaped(long... shape) {
    Shape to = Shape.of(shape);
    if (to.elements() != shape().elements()) {
      throw new IllegalArgumentException(
          "a shape of as many elements is needed, but %s is to become %s".formatted(shape(), to));
    }
    return with(count(), to, i -> i);
  }

  /// Returns a source of `count` of these examples, whose indices `index` gives for 0 to `count -
  /// 1`.
  default Source select(int count, IntUnaryOperator index) {
    return with(count, shape(), index);
  }

  private Source with(int count, Shape shape, IntUnaryOperator index) {
    return made(count, shape, i -> input(index.applyAsInt(i)), i -> target(index.applyAsInt(i)));
  }
}
