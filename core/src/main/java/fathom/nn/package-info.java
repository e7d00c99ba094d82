/// The layers of nets, each with its derivative beside its forward pass, and the combinators that
/// build nets of them, above all [fathom.nn.Chain], [fathom.nn.Residual] and [fathom.nn.Recompute].
@NullMarked
package fathom.nn;

import org.jspecify.annotations.NullMarked;
