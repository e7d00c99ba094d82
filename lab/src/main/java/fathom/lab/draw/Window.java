package fathom.lab.draw;

import fathom.Node;
import fathom.Tensor;

/// What DRAW sees of an image in a glimpse and where it adds to its canvas. Images are N×(B·A), row
/// by row; `h` is the decoder's hidden state, N×H.
interface Window extends Node {
  /// How many numbers [#read] gives of an image.
  int numbers();

  /// Of the image `x` and of what is not yet drawn of it, `error`, by the decoder's state before
  /// this glimpse.
  Tensor read(Tensor x, Tensor error, Tensor h);

  /// What is added to the canvas, N×(B·A).
  Tensor write(Tensor h);
}
