package fathom.recurrent;

/// The gradients of [CellWeights], summed over steps and sequences.
record CellGradients(
    double[] gainX,
    double[] biasX,
    double[] gainH,
    double[] biasH,
    double[] gainC,
    double[] biasC) {
  static CellGradients zeros(Unrolled u) {
    int g = u.width();
    return new CellGradients(
        new double[g],
        new double[g],
        new double[g],
        new double[g],
        new double[u.padded()],
        new double[u.padded()]);
  }
}
