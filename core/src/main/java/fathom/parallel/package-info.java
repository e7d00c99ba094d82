/// Workers that run one program and communicate through a [Collective]; the [Step], which is all
/// that a layer knows of the workers; and [Cores], among which one loop over memory is divided.
@NullMarked
package fathom.parallel;

import org.jspecify.annotations.NullMarked;
