package fathom.io;

import fathom.Shape;
import java.lang.foreign.SegmentAllocator;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SequencedSet;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/// Tensors that are in several safetensors files, which an index in their folder names:
///
/// ```text
/// {"metadata": {...}, "weight_map": {NAME OF A TENSOR: NAME OF A FILE, ...}}
/// ```
///
/// The names of files must not lead out of the folder. Each file must have exactly the tensors that
/// the index says, so that a part of another download is not taken for one of these.
public final class ShardedTensors implements TensorFile {
  private static final String INDEX = ".index.json";
  private static final int MOST_FILES = 10_000;

  private final Path file;
  private final SequencedMap<String, SafeTensors> tensors = new LinkedHashMap<>();
  private final SequencedMap<String, SafeTensors> parts = new LinkedHashMap<>();
  private final Map<String, String> metadata = new LinkedHashMap<>();

  private ShardedTensors(Path file) {
    this.file = file;
  }

  /// Returns whether the file's name is that of an index.
  static boolean isIndex(Path file) {
    return file.toString().endsWith(INDEX);
  }

  /// Opens the index and all files that it names. Throws [BadFileException] if one of them is
  /// missing, damaged or does not have the tensors that the index says.
  public static ShardedTensors open(Path index) {
    var opened = new ShardedTensors(index);
    try {
      opened.read();
      return opened;
    } catch (Throwable problem) {
      opened.close();
      throw problem;
    }
  }

  private void read() {
    JsonNode root;
    try {
      root = Json.parse(RegularFile.text(file, Header.MAX_BYTES));
    } catch (JacksonException e) {
      throw new BadFileException(file, "it is not JSON: " + e.getOriginalMessage(), e);
    }
    JsonNode map = root.path("weight_map");
    if (!map.isObject() || map.size() > Header.MAX_NAMES) {
      throw new BadFileException(
          file,
          "an index has an object weight_map of at most %s names, but this one has %s"
              .formatted(Header.MAX_NAMES, map.isObject() ? map.size() + " names" : "none"));
    }
    map.properties().forEach(entry -> tensors.put(entry.getKey(), part(entry.getValue())));
    root.path("metadata")
        .properties()
        .forEach(entry -> metadata.put(entry.getKey(), entry.getValue().asString("")));
    tensors.forEach((name, part) -> part.shape(name));
    long all = parts.values().stream().mapToLong(part -> part.names().size()).sum();
    if (all != tensors.size()) {
      parts.forEach((name, part) -> checkAllOf(name, part));
    }
    parts.values().forEach(part -> part.metadata().forEach(metadata::putIfAbsent));
  }

  private void checkAllOf(String name, SafeTensors part) {
    List<String> unknown = new ArrayList<>(part.names());
    unknown.removeIf(tensor -> tensors.get(tensor) == part);
    if (!unknown.isEmpty()) {
      throw new BadFileException(
          file,
          "%s has the tensor %s, but the index does not say so; are they of one download?"
              .formatted(Shown.name(name), Shown.name(unknown.getFirst())));
    }
  }

  private SafeTensors part(JsonNode node) {
    String name = node.asString("");
    if (!node.isString()
        || name.isEmpty()
        || name.contains("/")
        || name.contains("\\")
        || name.startsWith(".")
        || name.indexOf('\0') >= 0
        || isIndex(Path.of(name))) {
      throw new BadFileException(
          file,
          "a tensor is in a file of the same folder, but the index has %s instead of its name"
              .formatted(Shown.name(node.toString())));
    }
    SafeTensors open = parts.get(name);
    if (open == null) {
      if (parts.size() == MOST_FILES) {
        throw new BadFileException(file, "an index names at most %s files".formatted(MOST_FILES));
      }
      open = SafeTensors.open(file.resolveSibling(name));
      parts.put(name, open);
    }
    return open;
  }

  @Override
  public String format() {
    return "safetensors in %s files".formatted(parts.size());
  }

  @Override
  public SequencedSet<String> names() {
    return Collections.unmodifiableSequencedSet(tensors.sequencedKeySet());
  }

  @Override
  public Map<String, String> metadata() {
    return Collections.unmodifiableMap(metadata);
  }

  private SafeTensors of(String name) {
    SafeTensors part = tensors.get(name);
    if (part == null) {
      throw MissingTensor.in(file, name, names());
    }
    return part;
  }

  @Override
  public String type(String name) {
    return of(name).type(name);
  }

  @Override
  public Shape shape(String name) {
    return of(name).shape(name);
  }

  @Override
  public StoredTensor widened(String name, SegmentAllocator memory) {
    return of(name).widened(name, memory);
  }

  @Override
  public void close() {
    parts.values().forEach(SafeTensors::close);
  }
}
