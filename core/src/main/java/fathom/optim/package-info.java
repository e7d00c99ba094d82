/// How gradients change parameters, and at which learning rate.
@NullMarked
package fathom.optim;

import org.jspecify.annotations.NullMarked;
