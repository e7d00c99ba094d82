/// The operations that Fathom computes itself. Each has three forms ([fathom.kernel.KernelForm]): a
/// specification that computes number by number, loops on vector registers, and libtorch's
/// operations. [fathom.kernel.Kernels] chooses between them.
///
/// The interfaces take tensors. The loops see only numbers in memory, as [fathom.kernel.Rows] or
/// [fathom.kernel.FeatureMaps]. They make no garbage that grows with the batch, and they start no
/// threads of their own: [fathom.parallel.Cores] divides rows among the free cores.
@NullMarked
package fathom.kernel;

import org.jspecify.annotations.NullMarked;
