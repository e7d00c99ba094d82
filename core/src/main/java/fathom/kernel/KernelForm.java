package fathom.kernel;

/// The forms that every operation with a kernel of ours has.
public enum KernelForm {
  /// The equations number by number in double precision: the specification.
  SCALAR,
  /// On vector registers: the fast form, for float32 (batch norm also for bfloat16) in the memory
  /// of the processor.
  VECTOR,
  /// Libtorch's operations: for a JVM without the vector module, and for tensors that are not in
  /// the memory of the processor.
  TORCH
}
