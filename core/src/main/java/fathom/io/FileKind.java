package fathom.io;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// What a file that is no safetensors file seems to be, from its first bytes.
record FileKind(String start, String what) {
  private static final List<FileKind> KNOWN =
      List.of(
          new FileKind("PK\3\4", "a zip archive, perhaps a PyTorch .pt or .pth file"),
          new FileKind("\u0080\2", "a Python pickle, perhaps an old PyTorch .th or .pt file"),
          new FileKind("\u0080\3", "a Python pickle, perhaps an old PyTorch .th or .pt file"),
          new FileKind("\u0080\4", "a Python pickle"),
          new FileKind("\u0080\5", "a Python pickle"),
          new FileKind(
              "version https://git-lfs", "a Git LFS pointer: fetch the file it stands for"),
          new FileKind("\u001f\u008b", "a gzip file: unpack it first"),
          new FileKind("\u0089HDF", "an HDF5 file"),
          new FileKind("GGUF", "a GGUF file"),
          new FileKind("\u0093NUMPY", "a NumPy array"),
          new FileKind("<", "a web page or XML: was the download refused?"),
          new FileKind("{", "JSON text"));

  /// A clause to end a message with; empty if the bytes tell nothing.
  static String hint(MemorySegment file) {
    for (FileKind kind : KNOWN) {
      if (kind.begins(file)) {
        return "; it seems to be " + kind.what;
      }
    }
    return "";
  }

  private boolean begins(MemorySegment file) {
    byte[] expected = start.getBytes(StandardCharsets.ISO_8859_1);
    if (file.byteSize() < expected.length) {
      return false;
    }
    return file.asSlice(0, expected.length).mismatch(MemorySegment.ofArray(expected)) < 0;
  }
}
