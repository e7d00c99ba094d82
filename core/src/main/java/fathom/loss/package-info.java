/// What training makes small.
@NullMarked
package fathom.loss;

import org.jspecify.annotations.NullMarked;
