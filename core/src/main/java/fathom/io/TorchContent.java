package fathom.io;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/// What a file of `torch.save` has: a value, and the bytes of the storages of its tensors by key.
record TorchContent(String format, Pickled value, Function<String, MemorySegment> storages) {
  private static final String PICKLE = "data.pkl";

  /// Reads the zip form, all of whose entries are in one folder of any name: `data.pkl` is the
  /// value, `data/KEY` are the storages, `byteorder` is the order of their bytes. Throws
  /// [BadFileException] if the archive is damaged or of another kind.
  static TorchContent ofZip(Path file, MemorySegment all) {
    ZipDirectory entries = ZipDirectory.of(file, all);
    List<String> pickles = new ArrayList<>();
    entries
        .names()
        .forEach(name -> {
          if (name.equals(PICKLE)
              || (name.endsWith("/" + PICKLE) && name.indexOf('/') == name.lastIndexOf('/'))) {
            pickles.add(name);
          }
        });
    if (pickles.size() != 1) {
      throw new BadFileException(
          file,
          "it is a zip archive, but not of torch.save, which has one data.pkl and not %s%s"
              .formatted(
                  pickles.size(),
                  file.toString().endsWith(".keras") ? FileKind.hint(file, all) : ""));
    }
    String folder = pickles.getFirst().substring(0, pickles.getFirst().length() - PICKLE.length());
    if (entries.has(folder + "constants.pkl")) {
      throw new BadFileException(
          file,
          "it is a TorchScript archive, which has code; save the state dictionary: torch.save(torch.jit.load(FILE).state_dict(), ...)");
    }
    String order = folder + "byteorder";
    if (entries.has(order)) {
      MemorySegment said = entries.content(order);
      byte[] start = said.asSlice(0, Math.min(said.byteSize(), 16)).toArray(ValueLayout.JAVA_BYTE);
      String name = new String(start, StandardCharsets.UTF_8);
      if (!name.equals("little")) {
        throw new BadFileException(
            file,
            "its bytes are in the order %s, and only 'little' is read; save it again on such a machine"
                .formatted(Shown.name(name)));
      }
    }
    var objects = new TorchObjects(file);
    var reader = new Unpickler(file, entries.content(pickles.getFirst()), 0, objects);
    return new TorchContent(
        "PyTorch, zip form", reader.read(), key -> entries.content(folder + "data/" + key));
  }
}
