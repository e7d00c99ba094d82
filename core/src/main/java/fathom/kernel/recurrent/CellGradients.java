package fathom.kernel.recurrent;

import fathom.Tensor;

/// The gradients of [CellWeights], summed over steps and sequences, in float64 or in the type of
/// the weights. The gradient of a parameter that the cell does not use is meaningless.
public record CellGradients(
    Tensor gainX, Tensor biasX, Tensor gainH, Tensor biasH, Tensor gainC, Tensor biasC) {}
