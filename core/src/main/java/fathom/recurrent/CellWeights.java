package fathom.recurrent;

import java.lang.foreign.MemorySegment;

/// The small parameters of a cell: gains and biases of its norms, G elements each, and those of the
/// cell state, H each. Without a norm the gains are 1. The recurrent layer's extra bias (eq. 20) is
/// part of `biasX`.
record CellWeights(
    MemorySegment gainX,
    MemorySegment biasX,
    MemorySegment gainH,
    MemorySegment biasH,
    MemorySegment gainC,
    MemorySegment biasC) {}
