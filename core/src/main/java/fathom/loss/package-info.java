/// The losses that training minimizes.
@NullMarked
package fathom.loss;

import org.jspecify.annotations.NullMarked;
