package fathom.train;

import static java.util.stream.Collectors.toSet;

import fathom.Shape;
import fathom.io.BadFileException;
import fathom.io.KerasTensors;
import fathom.io.OnnxTensors;
import fathom.io.SafeTensors;
import fathom.io.Shown;
import fathom.io.Spelling;
import fathom.io.StateDictionary;
import fathom.io.TensorFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The names that a net's tensors have in a file, which may come from another program.
///
/// Our nets have the names of torchvision and timm (nets for photos) and of akamaster's (nets for
/// CIFAR), so most names are the same. Others write the classifier as `fc`, `linear`, `head`,
/// `head.fc` or `classifier`, and a projection as `downsample` or `shortcut`; each stands for the
/// others if the file does not have the net's own. Counters that no net uses are passed over.
public final class WeightNames {
  private static final int SHOWN = 5;

  /// The names of the same part of a net.
  private static final List<List<String>> SAME =
      List.of(
          List.of("fc", "linear", "head.fc", "head", "classifier"),
          List.of("downsample", "shortcut"));

  private WeightNames() {}

  /// Returns the name in the file for each path of the net. Throws [BadFileException] with all that
  /// does not fit, if anything does not: every tensor must be there in its shape, and a file from
  /// elsewhere must have no other. A file that Fathom wrote may have others that are of no part of
  /// the net, because a checkpoint has.
  ///
  /// @param wanted the shapes of the net's tensors by path
  /// @param ignored the paths of the net's tensors that the file may have or not
  static SequencedMap<String, String> of(
      Path file, TensorFile stored, SequencedMap<String, Shape> wanted, Set<String> ignored) {
    Match match = match(stored, wanted, ignored);
    if (match.isComplete()) {
      return match.names;
    }
    throw new BadFileException(
        file,
        "its tensors are not those of the net: %s of %s fit%s%s%s; is it of another model?"
            .formatted(
                match.names.size(),
                wanted.size(),
                listed(
                    "missing",
                    match.missing,
                    path ->
                        "%s %s%s"
                            .formatted(
                                Shown.name(path),
                                wanted.get(path),
                                meant(path, wanted, match.unexpected, stored))),
                listed(
                    "unexpected",
                    match.unexpected,
                    name -> "%s %s".formatted(Shown.name(name), stored.shape(name))),
                listed("of another shape", match.misshaped, Function.identity())));
  }

  /// Returns whether [#of] would return names.
  static boolean fit(TensorFile stored, SequencedMap<String, Shape> wanted, Set<String> ignored) {
    SequencedMap<String, String> plain = plain(stored);
    for (Map.Entry<String, Shape> each : wanted.entrySet()) {
      String name = name(each.getKey(), plain);
      if (name == null || !isLike(stored.shape(name), each.getValue())) {
        return false; // at once, because many nets are tried
      }
    }
    return match(stored, wanted, ignored).isComplete();
  }

  /// Returns whether a file has every tensor of a net, by its path and shape, and no other.
  public static boolean fit(TensorFile stored, SequencedMap<String, Shape> wanted) {
    return fit(stored, wanted, Set.of());
  }

  /// @param names of the tensors that fit, by path
  /// @param missing paths
  /// @param misshaped sentences about tensors of another shape
  /// @param unexpected names in the file
  private record Match(
      SequencedMap<String, String> names,
      List<String> missing,
      List<String> misshaped,
      List<String> unexpected) {
    boolean isComplete() {
      return missing.isEmpty() && misshaped.isEmpty() && unexpected.isEmpty();
    }
  }

  private static Match match(
      TensorFile stored, SequencedMap<String, Shape> wanted, Set<String> ignored) {
    SequencedMap<String, String> plain = plain(stored);
    var match =
        new Match(new LinkedHashMap<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    var unused = new LinkedHashSet<>(plain.values());
    wanted.forEach((path, shape) -> {
      String name = name(path, plain);
      if (name == null) {
        match.missing.add(path);
        return;
      }
      unused.remove(name);
      Shape found = stored.shape(name);
      if (isLike(found, shape)) {
        match.names.put(path, name);
      } else {
        match.misshaped.add("%s is %s, not %s".formatted(Shown.name(name), found, shape));
      }
    });
    for (String path : ignored) {
      spellings(path).stream().map(plain::get).filter(Objects::nonNull).forEach(unused::remove);
    }
    unused.removeIf(WeightNames::isCounter);
    if (stored instanceof OnnxTensors) { // whose constants are shapes and axes, too
      unused.removeIf(name -> stored.type(name).equals("I64"));
    }
    if (isOwn(stored)) { // which may be a checkpoint, with tensors of the optimizer and the task
      Set<String> parts = wanted.keySet().stream().map(WeightNames::part).collect(toSet());
      unused.removeIf(name -> !parts.contains(part(StateDictionary.plain(name))));
    }
    match.unexpected.addAll(unused);
    return match;
  }

  private static boolean isOwn(TensorFile stored) {
    return (stored instanceof SafeTensors ours && ours.isChecksummed())
        || (!(stored instanceof KerasTensors)
            && stored.metadata().keySet().stream().anyMatch(key -> key.startsWith("fathom.")));
  }

  /// Returns whether a tensor has this shape, or is a matrix of it that a file has as the kernel of
  /// a 1×1 convolution, as timm's `head.fc.weight`.
  private static boolean isLike(Shape found, Shape wanted) {
    return found.equals(wanted)
        || (wanted.rank() == 2 && found.equals(Shape.of(wanted.size(0), wanted.size(1), 1, 1)));
  }

  /// Returns the file's names by their plain forms.
  private static SequencedMap<String, String> plain(TensorFile stored) {
    var plain = new LinkedHashMap<String, String>();
    stored.names().forEach(name -> plain.putIfAbsent(StateDictionary.plain(name), name));
    return plain;
  }

  /// Returns the file's name for a path, null if it has none.
  private static @Nullable String name(String path, Map<String, String> plain) {
    String same = plain.get(path);
    return same != null
        ? same
        : spellings(path).stream()
            .map(plain::get)
            .filter(Objects::nonNull)
            .findFirst()
            .orElse(null);
  }

  /// Returns the path itself and what it is called elsewhere.
  private static Set<String> spellings(String path) {
    var all = new LinkedHashSet<String>();
    all.add(path);
    for (List<String> same : SAME) {
      for (String own : same) {
        for (String other : same) {
          if (path.startsWith(own + ".")) {
            all.add(other + path.substring(own.length()));
          }
          all.add(path.replace("." + own + ".", "." + other + "."));
        }
      }
    }
    return all;
  }

  /// Returns the part of a net that a path begins with: `layer1` of `layer1.0.conv1.weight`.
  private static String part(String path) {
    int end = path.indexOf('.');
    return end < 0 ? path : path.substring(0, end);
  }

  private static boolean isCounter(String name) {
    return name.endsWith("num_batches_tracked") || name.equals("n_averaged");
  }

  /// Returns a question for the unexpected name that is the most like a missing one, of its shape
  /// if there is one; empty if none is.
  private static String meant(
      String path, Map<String, Shape> wanted, List<String> unexpected, TensorFile stored) {
    List<String> fitting =
        unexpected.stream()
            .filter(name -> Objects.equals(stored.shape(name), wanted.get(path)))
            .toList();
    return Spelling.nearest(path, fitting)
        .or(() -> fitting.stream().filter(name -> last(name).equals(last(path))).findFirst())
        .map(name -> " (did you mean %s?)".formatted(Shown.name(name)))
        .orElse("");
  }

  private static String last(String name) {
    return name.substring(name.lastIndexOf('.') + 1);
  }

  private static <T> String listed(String what, List<T> all, Function<T, String> shown) {
    if (all.isEmpty()) {
      return "";
    }
    List<String> some = all.stream().limit(SHOWN).map(shown).toList();
    return "\n  %s (%s): %s%s"
        .formatted(
            what, all.size(), String.join(", ", some), some.size() < all.size() ? ", ..." : "");
  }
}
