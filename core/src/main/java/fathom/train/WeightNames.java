package fathom.train;

import fathom.Shape;
import fathom.io.BadFileException;
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
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.Function;

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
  /// elsewhere must have no other. Files that Fathom wrote may, because checkpoints do.
  ///
  /// @param wanted the shapes of the net's tensors by path
  public static SequencedMap<String, String> of(
      Path file, TensorFile stored, SequencedMap<String, Shape> wanted) {
    SequencedMap<String, String> plain = plain(stored);
    var names = new LinkedHashMap<String, String>();
    var missing = new ArrayList<String>();
    var misshaped = new ArrayList<String>();
    wanted.forEach((path, shape) -> {
      Optional<String> name =
          spellings(path).stream().filter(plain::containsKey).map(plain::get).findFirst();
      if (name.isEmpty()) {
        missing.add(path);
        return;
      }
      names.put(path, name.get());
      Shape found = stored.shape(name.get());
      if (!found.equals(shape)) {
        misshaped.add("%s is %s, not %s".formatted(Shown.name(name.get()), found, shape));
      }
    });
    var unexpected = new LinkedHashSet<>(plain.values());
    unexpected.removeAll(names.values());
    unexpected.removeIf(WeightNames::isCounter);
    boolean own = stored.metadata().keySet().stream().anyMatch(key -> key.startsWith("fathom."));
    if (missing.isEmpty() && misshaped.isEmpty() && (own || unexpected.isEmpty())) {
      return names;
    }
    var fitting = names.size() - misshaped.size();
    throw new BadFileException(
        file,
        "its tensors are not those of the net: %s of %s fit%s%s%s; is it of another model?"
            .formatted(
                fitting,
                wanted.size(),
                listed(
                    "missing",
                    missing,
                    path ->
                        "%s %s%s"
                            .formatted(
                                Shown.name(path),
                                wanted.get(path),
                                meant(path, wanted, unexpected, stored))),
                listed(
                    "unexpected",
                    own ? List.of() : List.copyOf(unexpected),
                    name -> "%s %s".formatted(Shown.name(name), stored.shape(name))),
                listed("of another shape", misshaped, Function.identity())));
  }

  /// Returns the file's names by their plain forms.
  private static SequencedMap<String, String> plain(TensorFile stored) {
    var plain = new LinkedHashMap<String, String>();
    stored.names().forEach(name -> plain.putIfAbsent(StateDictionary.plain(name), name));
    return plain;
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

  private static boolean isCounter(String name) {
    return name.endsWith("num_batches_tracked") || name.equals("n_averaged");
  }

  /// Returns a question for the unexpected name that is the most like a missing one, of its shape
  /// if there is one; empty if none is.
  private static String meant(
      String path, Map<String, Shape> wanted, Set<String> unexpected, TensorFile stored) {
    List<String> fitting =
        unexpected.stream().filter(name -> stored.shape(name).equals(wanted.get(path))).toList();
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
