/// Tensors, layers that return their own pullback, and the one rule for the lifetime of tensors.
///
/// The package has six central types. A [Tensor] is a dense array in native memory, and a [Scope]
/// is its lifetime. A [Layer] turns a tensor into a [Traced] output, which holds the output tensor
/// and its [Pullback], the backward pass. A [Param] is a tensor that training changes, with its
/// gradient.
@NullMarked
package fathom;

import org.jspecify.annotations.NullMarked;
