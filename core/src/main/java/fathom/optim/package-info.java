/// How gradients change parameters, and at which rate.
@NullMarked
package fathom.optim;

import org.jspecify.annotations.NullMarked;
