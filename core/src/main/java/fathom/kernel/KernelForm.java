package fathom.kernel;

/// The three forms that each operation of this package has. [Kernels] chooses between them.
public enum KernelForm {
  /// The specification: the equations number by number, in double precision.
  SCALAR,
  /// The fast form: loops on vector registers for float32 (batch norm also for bfloat16) in the
  /// memory of the processor.
  VECTOR,
  /// Libtorch's operations, for a JVM without the vector module and for tensors that are not in the
  /// memory of the processor.
  TORCH
}
