package fathom.io;

import java.nio.file.Path;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Finds the state dictionary in what `torch.save` saved: that is one, or a checkpoint with one
/// inside.
///
/// In a dictionary the first of the usual names that leads to tensors is followed, averaged weights
/// before the last ones, as timm does it. Without such a name the dictionary's own tensors are
/// taken, and without any the only other dictionary that leads to tensors.
///
/// @param tensors by their plain names
/// @param metadata the texts and numbers that were passed on the way
record StateSearch(SequencedMap<String, Pickled.Tensor> tensors, Map<String, String> metadata) {
  private static final List<String> USUAL =
      List.of(
          "state_dict_ema",
          "model_ema",
          "ema_state_dict",
          "params_ema",
          "state_dict",
          "model_state_dict",
          "model_state",
          "model",
          "net",
          "network",
          "weights",
          "params");

  /// Names of dictionaries with other tensors than a net's.
  private static final Set<String> OTHERS =
      Set.of("optimizer", "optimizer_state_dict", "optim", "lr_scheduler", "scheduler", "scaler");

  private static final int DEEPEST = 4;
  private static final int SHOWN = 5;
  private static final int MOST_METADATA = 1000;

  /// Returns the state dictionary in `value`. Throws [BadFileException] if there is none or more
  /// than one, or if one of its tensors is not plain data.
  static StateSearch in(Path file, Pickled value) {
    var found = new StateSearch(new LinkedHashMap<>(), new LinkedHashMap<>());
    if (!(value instanceof Pickled.Dictionary root)) {
      throw new BadFileException(
          file,
          "it has %s, not a dictionary of tensors; where its code is, save the state dictionary: torch.save(model.state_dict(), ...)"
              .formatted(value.described()));
    }
    Pickled.Dictionary dictionary = found.inside(file, root);
    for (Map.Entry<Pickled, Pickled> entry : dictionary.entries().entrySet()) {
      if (entry.getKey() instanceof Pickled.Text name) {
        found.add(file, StateDictionary.plain(name.value()), entry.getValue());
      }
    }
    return found;
  }

  private void add(Path file, String name, Pickled value) {
    switch (value) {
      case Pickled.Tensor tensor -> {
        if (tensors.put(name, tensor) != null) {
          throw new BadFileException(
              file,
              "two tensors have the name %s, without what wrappers put before it"
                  .formatted(Shown.name(name)));
        }
      }
      case Pickled.Opaque opaque when opaque.ofTensors() ->
          throw new BadFileException(
              file,
              "tensor %s is made by %s, which is not called: only plain tensors are read"
                  .formatted(Shown.name(name), Shown.name(opaque.what())));
      default -> note(name, value);
    }
  }

  /// Returns the dictionary of a net's tensors at or below `root`.
  private Pickled.Dictionary inside(Path file, Pickled.Dictionary root) {
    Pickled.Dictionary at = root;
    for (int depth = 0; depth < DEEPEST; depth++) {
      Pickled.Dictionary next = next(file, at);
      if (next == null) {
        return at;
      }
      at.entries()
          .forEach((key, value) -> {
            if (key instanceof Pickled.Text name) {
              note(name.value(), value);
            }
          });
      at = next;
    }
    throw new BadFileException(
        file, "its tensors are inside of more than %s dictionaries".formatted(DEEPEST));
  }

  /// Returns the dictionary to go on with; null if the tensors are those of this one.
  private static Pickled.@Nullable Dictionary next(Path file, Pickled.Dictionary at) {
    for (String name : USUAL) {
      if (at.entries().get(new Pickled.Text(name)) instanceof Pickled.Dictionary below
          && leads(below)) {
        return below;
      }
    }
    if (at.entries().values().stream().anyMatch(StateSearch::isTensor)) {
      return null;
    }
    var others = new LinkedHashMap<String, Pickled.Dictionary>();
    at.entries()
        .forEach((key, value) -> {
          if (key instanceof Pickled.Text name
              && value instanceof Pickled.Dictionary below
              && !OTHERS.contains(name.value())
              && leads(below)) {
            others.put(name.value(), below);
          }
        });
    if (others.size() == 1) {
      return others.firstEntry().getValue();
    }
    throw new BadFileException(
        file,
        others.isEmpty()
            ? "there are no tensors in it, but " + some(at.entries())
            : "it has tensors in %s, and which are a net's is not known; save one of them"
                .formatted(
                    others.keySet().stream().map(Shown::name).collect(Collectors.joining(", "))));
  }

  private static boolean isTensor(Pickled value) {
    return value instanceof Pickled.Tensor
        || (value instanceof Pickled.Opaque opaque && opaque.ofTensors());
  }

  /// Returns whether tensors with names are in the dictionary, or in one that is in it.
  private static boolean leads(Pickled.Dictionary dictionary) {
    Set<Pickled> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    Set<Pickled> level = Collections.newSetFromMap(new IdentityHashMap<>());
    level.add(dictionary);
    for (int depth = 0; depth < DEEPEST && !level.isEmpty(); depth++) {
      Set<Pickled> below = Collections.newSetFromMap(new IdentityHashMap<>());
      for (Pickled each : level) {
        if (seen.add(each) && each instanceof Pickled.Dictionary now) {
          for (Map.Entry<Pickled, Pickled> entry : now.entries().entrySet()) {
            if (entry.getKey() instanceof Pickled.Text name && !OTHERS.contains(name.value())) {
              if (isTensor(entry.getValue())) {
                return true;
              }
              below.add(entry.getValue());
            }
          }
        }
      }
      level = below;
    }
    return false;
  }

  private void note(String name, Pickled value) {
    String text =
        switch (value) {
          case Pickled.Text said -> said.value();
          case Pickled.Whole number -> Long.toString(number.value());
          case Pickled.Real number -> Double.toString(number.value());
          case Pickled.Truth truth -> Boolean.toString(truth.value());
          default -> null;
        };
    if (text != null && metadata.size() < MOST_METADATA) {
      metadata.putIfAbsent(name, text);
    }
  }

  private static String some(Map<Pickled, Pickled> entries) {
    String some =
        entries.entrySet().stream()
            .limit(SHOWN)
            .map(entry ->
                "%s: %s".formatted(entry.getKey().described(), entry.getValue().described()))
            .collect(Collectors.joining(", "));
    return entries.isEmpty()
        ? "nothing"
        : "%s%s; nothing of it was run".formatted(some, entries.size() > SHOWN ? ", ..." : "");
  }
}
