/// The loops that Fathom runs itself, over tensor memory. The norms have a text-book version, which
/// is the specification and runs in every type, and a version on vector registers for float32;
/// convolutions by tiles and the packed product have the latter alone, and their text-book version
/// is elsewhere: libtorch's, or a layer's.
///
/// Nothing here knows a tensor: a kernel sees [fathom.kernel.Rows] or [fathom.kernel.FeatureMaps],
/// numbers and nothing else, makes no garbage that grows with the batch and starts no threads.
@NullMarked
package fathom.kernel;

import org.jspecify.annotations.NullMarked;
