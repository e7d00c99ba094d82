/// Files: formats that Fathom reads and writes, and the checks that a file must pass before it is
/// trusted.
///
/// A file that is not as expected leads to a [BadFileException], whose message is safe to show in a
/// terminal ([Shown]); [Spelling] finds the name that was probably meant. [RegularFile] reads small
/// files as a whole and never blocks on a pipe.
///
/// [SafeTensors] reads and writes the safetensors format, in which programs exchange weights: an
/// 8-byte length, a JSON header of that length, then the tensors' bytes. Files that it writes have
/// a checksum, and [AtomicFile] puts them in place completely or not at all. [TorchFile] writes
/// tensors for PyTorch, and [StateDictionary] reads PyTorch's files without running anything in
/// them. [TensorFile] opens any of these formats by what the file begins with. Tensors are memory
/// segments here; nothing in this package needs the native library.
@NullMarked
package fathom.io;

import org.jspecify.annotations.NullMarked;
