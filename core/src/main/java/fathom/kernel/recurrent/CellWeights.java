package fathom.kernel.recurrent;

import fathom.Tensor;

/// The small parameters of a cell: gains and biases of the norms of its gates, G elements each, and
/// of the norm of its cell state, H elements each. Without norms the gains are 1. The extra bias of
/// the LSTM (Ba et al. 2016, eq. 20) is part of `biasX`.
public record CellWeights(
    Tensor gainX, Tensor biasX, Tensor gainH, Tensor biasH, Tensor gainC, Tensor biasC) {}
