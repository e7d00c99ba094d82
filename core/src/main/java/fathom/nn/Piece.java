package fathom.nn;

import fathom.Layer;
import fathom.Predictor;
import fathom.Shape;
import fathom.Tensor;
import java.util.ArrayList;
import java.util.List;

/// A part of a net that was rewritten for prediction only; see [Folded].
interface Piece extends Predictor {
  /// Returns the shape of the output for an input of this shape.
  Shape shape(Shape x);

  /// Returns this piece with its weights packed for inputs of this shape; the packed weights lie in
  /// the innermost scope.
  default Piece packedFor(Shape x) {
    return this;
  }

  /// Returns the same output as [#predict] but may use the memory of `x`, whose elements are
  /// undefined afterwards.
  default Tensor predictOver(Tensor x) {
    return predict(x);
  }

  /// Whether the output never shares memory with the input, so that the next piece may write into
  /// it.
  boolean givesOwnMemory();

  /// The pieces inside this one, in the order in which data flows.
  default List<Piece> pieces() {
    return List.of();
  }

  /// A layer of the original net, unchanged.
  record Untouched(Layer layer) implements Piece {
    @Override
    public Tensor predict(Tensor x) {
      return layer.predict(x);
    }

    @Override
    public Shape shape(Shape x) {
      return layer.shape(x);
    }

    /// Some layers return a view of their input.
    @Override
    public boolean givesOwnMemory() {
      return false;
    }

    @Override
    public String toString() {
      return layer.toString();
    }
  }

  /// Pieces applied one after the other.
  record Sequence(List<Piece> pieces) implements Piece {
    public Sequence {
      pieces = List.copyOf(pieces);
    }

    @Override
    public Tensor predict(Tensor x) {
      return predict(x, false);
    }

    @Override
    public Tensor predictOver(Tensor x) {
      return predict(x, true);
    }

    private Tensor predict(Tensor x, boolean over) {
      Tensor y = x.alias();
      boolean own = over;
      for (Piece piece : pieces) {
        Tensor spent = y;
        y = own ? piece.predictOver(spent) : piece.predict(spent);
        own |= piece.givesOwnMemory();
        spent.release();
      }
      return y;
    }

    @Override
    public Shape shape(Shape x) {
      Shape y = x;
      for (Piece piece : pieces) {
        y = piece.shape(y);
      }
      return y;
    }

    @Override
    public Sequence packedFor(Shape x) {
      var packed = new ArrayList<Piece>();
      Shape y = x;
      for (Piece piece : pieces) {
        packed.add(piece.packedFor(y));
        y = piece.shape(y);
      }
      return new Sequence(packed);
    }

    @Override
    public boolean givesOwnMemory() {
      return pieces.stream().anyMatch(Piece::givesOwnMemory);
    }

    @Override
    public String toString() {
      return "Sequence";
    }
  }
}
