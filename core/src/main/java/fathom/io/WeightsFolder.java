package fathom.io;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// A folder with weights as they are published on model hubs: the tensors under a usual name, and
/// `config.json`, which says what they are of.
public final class WeightsFolder {
  /// The description of the net.
  public static final String CONFIG = "config.json";

  private static final List<String> USUAL =
      List.of("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin");

  private WeightsFolder() {}

  /// Returns whether the path leads to such a folder.
  public static boolean isOne(Path folder) {
    return USUAL.stream().anyMatch(name -> Files.exists(folder.resolve(name)));
  }

  /// Returns the file of the folder's tensors. Throws [BadFileException] if there is none.
  static Path weights(Path folder) {
    return USUAL.stream()
        .map(folder::resolve)
        .filter(Files::exists)
        .findFirst()
        .orElseThrow(() ->
            new BadFileException(
                folder,
                "this is a folder without %s; name a file of weights"
                    .formatted(String.join(", ", USUAL))));
  }
}
