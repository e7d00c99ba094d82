/// Layers: each one a value and, right under it, its derivative; and the three that combine others,
/// [fathom.nn.Chain], [fathom.nn.Residual] and [fathom.nn.Recompute].
@NullMarked
package fathom.nn;

import org.jspecify.annotations.NullMarked;
