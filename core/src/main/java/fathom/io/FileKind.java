package fathom.io;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/// A kind of file that is sometimes given instead of a safetensors file, how it is recognised from
/// its first bytes and its name, and how its weights can be converted to a safetensors file.
///
/// @param start the first bytes, as ISO-8859-1; empty if the name alone decides
/// @param endings the endings of the names of such files; empty if the first bytes decide
/// @param what a clause that says what the file is
/// @param wayOut lines that say what to do, in which `{file}` stands for the file's name and
///   `{converted}` for the same name with the ending `.safetensors`; empty if there is nothing to
///   say
record FileKind(String start, List<String> endings, String what, String wayOut) {
  private static final String READ =
      "; TensorFile.open reads those, and SafeTensors.open its own format only";

  private static final String KERAS =
      """
      .
      Such files are not read. Convert it in Python (pip install keras safetensors); names and layouts (kernels of Keras are H x W x in x out) have to become those of the model:
        import keras, safetensors.numpy as st
        st.save_file({w.path: w.numpy() for w in keras.models.load_model("{file}").weights}, "{converted}")\
      """;

  private static final List<FileKind> KNOWN =
      List.of(
          new FileKind("PK\3\4", List.of(".keras"), "a Keras model", KERAS),
          new FileKind(
              "PK\3\4", List.of(), "a zip archive, perhaps a PyTorch .pt or .pth file", READ),
          new FileKind(
              "\u0080\2",
              List.of(),
              "a Python pickle, perhaps an old PyTorch .th or .pt file",
              READ),
          new FileKind(
              "\u0080\3",
              List.of(),
              "a Python pickle, perhaps an old PyTorch .th or .pt file",
              READ),
          new FileKind("\u0080\4", List.of(), "a Python pickle", ""),
          new FileKind("\u0080\5", List.of(), "a Python pickle", ""),
          new FileKind(
              "version https://git-lfs",
              List.of(),
              "a Git LFS pointer: fetch the file it stands for",
              ""),
          new FileKind("\u001f\u008b", List.of(), "a gzip file: unpack it first", ""),
          new FileKind("\u0089HDF", List.of(), "an HDF5 file, perhaps of Keras", KERAS),
          new FileKind("GGUF", List.of(), "a GGUF file", ""),
          new FileKind("\u0093NUMPY", List.of(), "a NumPy array", ""),
          new FileKind("<", List.of(), "a web page or XML: was the download refused?", ""),
          new FileKind("{", List.of(), "JSON text", ""),
          new FileKind("", List.of(".onnx"), "an ONNX model by its name", READ),
          new FileKind("", List.of(".keras", ".h5"), "a Keras model by its name", KERAS),
          new FileKind(
              "",
              List.of(".pt", ".pth", ".th", ".bin", ".ckpt"),
              "a PyTorch file by its name, but not by its content: download it again",
              ""));

  /// Returns a clause that ends a message, perhaps with lines that say what to do; empty if neither
  /// bytes nor name are known.
  static String hint(Path file, MemorySegment content) {
    String name = file.toString();
    for (FileKind kind : KNOWN) {
      if (kind.begins(content) && kind.ends(name.toLowerCase(Locale.ROOT))) {
        String converted = name.replaceFirst("\\.[^./\\\\]*$", "") + ".safetensors";
        return "; it seems to be "
            + kind.what
            + kind.wayOut.replace("{file}", name).replace("{converted}", converted);
      }
    }
    return "";
  }

  private boolean ends(String name) {
    return endings.isEmpty() || endings.stream().anyMatch(name::endsWith);
  }

  private boolean begins(MemorySegment file) {
    byte[] expected = start.getBytes(StandardCharsets.ISO_8859_1);
    if (file.byteSize() < expected.length) {
      return false;
    }
    return file.asSlice(0, expected.length).mismatch(MemorySegment.ofArray(expected)) < 0;
  }
}
