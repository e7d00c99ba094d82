/// The loops that Fathom runs itself, over tensor memory: a text-book version, which is the
/// specification and runs in every type, and a version on vector registers for float32.
///
/// Nothing here knows a tensor: a kernel sees [fathom.kernel.Rows], numbers and nothing else, makes
/// no garbage that grows with the batch and starts no threads.
@NullMarked
package fathom.kernel;

import org.jspecify.annotations.NullMarked;
