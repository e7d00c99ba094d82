/// Files, and what may be believed of them.
///
/// A file that is not right is a [BadFileException], whose message no terminal obeys ([Shown]) and
/// which names what was probably meant ([Spelling]); [RegularFile] reads what is read whole and
/// waits for no pipe.
///
/// [SafeTensors] reads and writes the safetensors format, in which weights travel between programs:
/// an 8-byte length, a JSON header of that length, then the tensors' bytes. What it writes carries
/// a checksum, and [AtomicFile] puts it in place whole or not at all. [TorchFile] writes tensors
/// for PyTorch. Tensors are memory segments here; nothing in this package needs the native library.
@NullMarked
package fathom.io;

import org.jspecify.annotations.NullMarked;
