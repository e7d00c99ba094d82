/// The short proof: what follows from a loss that does not depend on the length of a weight, by a
/// derivative and Pythagoras alone. The layer norm paper derives it by the geometry of manifolds.
@NullMarked
package fathom.lab.scale;

import org.jspecify.annotations.NullMarked;
