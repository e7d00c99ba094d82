package fathom.kernel.recurrent;

import fathom.Tensor;

/// The small parameters of a cell: gains and biases of its norms, G elements each, and those of the
/// cell state, H each. Without a norm the gains are 1. The recurrent layer's extra bias (eq. 20) is
/// part of `biasX`.
public record CellWeights(
    Tensor gainX, Tensor biasX, Tensor gainH, Tensor biasH, Tensor gainC, Tensor biasC) {}
