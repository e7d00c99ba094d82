/// The operations that Fathom computes itself. Each has three forms ([fathom.kernel.KernelForm]): a
/// specification number by number, loops on vector registers, and libtorch's operations;
/// [fathom.kernel.Kernels] chooses.
///
/// An interface speaks of tensors; the loops see [fathom.kernel.Rows] or
/// [fathom.kernel.FeatureMaps], numbers and nothing else. They make no garbage that grows with the
/// batch and start no threads.
@NullMarked
package fathom.kernel;

import org.jspecify.annotations.NullMarked;
