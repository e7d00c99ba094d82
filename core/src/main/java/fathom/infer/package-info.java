/// Inference: a trained net with all that its weights carry, behind a call that any number of
/// threads may make.
@NullMarked
package fathom.infer;

import org.jspecify.annotations.NullMarked;
