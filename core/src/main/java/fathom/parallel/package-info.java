/// Workers that run one program and meet in a [Collective]; the [Step] in which they do, which is
/// all that a layer knows of them; and [Cores], among which one loop over memory is divided.
@NullMarked
package fathom.parallel;

import org.jspecify.annotations.NullMarked;
