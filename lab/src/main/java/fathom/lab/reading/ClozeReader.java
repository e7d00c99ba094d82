package fathom.lab.reading;

import fathom.Node;
import fathom.Tensor;
import java.util.function.Consumer;

/// A net that answers questions about texts: scores of the M markers.
interface ClozeReader extends Node {
  /// The scores N×M, and the way back to the parameters.
  record Read(Tensor scores, Consumer<Tensor> pullback) {}

  Read forward(ClozeBatch batch);
}
