/// Tensors, layers that carry their own way back, and the one lifetime rule that holds them
/// together.
///
/// Six nouns: a [Tensor] is a dense array in native memory; a [Scope] is how long it lives; a
/// [Layer] turns a tensor into a [Traced] value, which is the value and its [Pullback], the way
/// back; a [Param] is a tensor that training changes, with its gradient.
@NullMarked
package fathom;

import org.jspecify.annotations.NullMarked;
