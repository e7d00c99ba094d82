/// The cells of recurrent layers, one file each: the equations number by number (the
/// specification), the same on vector registers, and the same as libtorch's operations. Their norms
/// are those of `fathom.kernel`. What happens around a cell, the product with the state before it,
/// is [fathom.kernel.recurrent.StepProduct].
@NullMarked
package fathom.kernel.recurrent;

import org.jspecify.annotations.NullMarked;
