/// The short proof: what follows from a loss that does not depend on the length of a weight, by a
/// derivative and Pythagoras alone, against what the layer norm paper says of it by manifolds.
@NullMarked
package fathom.lab.scale;

import org.jspecify.annotations.NullMarked;
