/// The cells of recurrent layers, one file for each kind of cell. A file holds the equations three
/// times: number by number (the specification), on vector registers, and as libtorch's operations.
/// The norms are those of `fathom.kernel`. The product with the state before a step, which
/// surrounds a cell, is [fathom.kernel.recurrent.StepProduct].
@NullMarked
package fathom.kernel.recurrent;

import org.jspecify.annotations.NullMarked;
