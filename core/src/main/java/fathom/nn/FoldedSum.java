package fathom.nn;

import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import java.util.List;

/// The sum branch(x) + shortcut(x), with or without ReLU. If the branch ends in a folded
/// convolution, that convolution adds to the shortcut's output in the same pass, provided that this
/// output may be overwritten.
///
/// @param before the branch without its last piece
/// @param last the last piece of the branch
/// @param isIdentity whether the shortcut returns its input
record FoldedSum(Piece before, Piece last, Piece shortcut, boolean isIdentity, boolean rectified)
    implements Piece {
  static FoldedSum of(Piece branch, Piece shortcut, boolean isIdentity, boolean rectified) {
    List<Piece> all =
        branch instanceof Piece.Sequence sequence ? sequence.pieces() : List.of(branch);
    if (all.isEmpty()) {
      return new FoldedSum(new Piece.Sequence(List.of()), branch, shortcut, isIdentity, rectified);
    }
    var before = new Piece.Sequence(all.subList(0, all.size() - 1));
    return new FoldedSum(before, all.getLast(), shortcut, isIdentity, rectified);
  }

  @Override
  public Tensor predict(Tensor x) {
    return predict(x, !isIdentity && shortcut.givesOwnMemory());
  }

  @Override
  public Tensor predictOver(Tensor x) {
    return predict(x, isIdentity || shortcut.givesOwnMemory());
  }

  private Tensor predict(Tensor x, boolean mayChangeShortcut) {
    try (var scope = Scope.open()) {
      Tensor h = before.predict(x);
      Tensor s = shortcut.predict(x);
      if (mayChangeShortcut && last instanceof FoldedConvolution convolution) {
        convolution.addTo_(s, h, rectified);
        return scope.keep(s);
      }
      Tensor f = last.predict(h);
      Residual.check(f, s);
      Tensor sum = last.givesOwnMemory() ? f.add_(s) : f.plus(s);
      return scope.keep(rectified ? sum.relu_() : sum);
    }
  }

  @Override
  public Shape shape(Shape x) {
    return last.shape(before.shape(x));
  }

  @Override
  public FoldedSum packedFor(Shape x) {
    return new FoldedSum(
        before.packedFor(x),
        last.packedFor(before.shape(x)),
        shortcut.packedFor(x),
        isIdentity,
        rectified);
  }

  @Override
  public boolean givesOwnMemory() {
    return true;
  }

  @Override
  public List<Piece> pieces() {
    return List.of(before, last, shortcut);
  }

  @Override
  public String toString() {
    return "Residual" + (rectified ? " + Relu" : "");
  }
}
