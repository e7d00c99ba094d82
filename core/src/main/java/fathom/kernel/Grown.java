package fathom.kernel;

/// An array that a thread keeps between calls, as long as the largest one so far needed. Its
/// elements are what was left there.
final class Grown {
  private float[] elements = {};

  float[] atLeast(int size) {
    if (elements.length < size) {
      elements = new float[size];
    }
    return elements;
  }
}
