/// Optimizers, which change parameters by their gradients, and schedules of the learning rate.
@NullMarked
package fathom.optim;

import org.jspecify.annotations.NullMarked;
