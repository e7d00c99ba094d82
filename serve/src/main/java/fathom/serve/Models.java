package fathom.serve;

import fathom.io.Shown;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Pattern;

/// The models of a server, each in the version that was loaded last.
final class Models {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}");

  private final Map<String, ModelSource> sources;
  private final Map<String, ServedModel> loaded = new ConcurrentHashMap<>();
  private final Set<ServedModel> alive = ConcurrentHashMap.newKeySet();
  private final List<Thread> retiring = new ArrayList<>();
  private final Limits limits;
  private final ServerMetrics metrics;

  /// Only one model at a time is loaded: the memory is bounded by one net more.
  private final ReentrantLock loading = new ReentrantLock();

  /// Loads all of them. Throws `IllegalArgumentException` for a name that would not fit into a
  /// path, and what a source throws.
  Models(Map<String, ModelSource> sources, Limits limits, ServerMetrics metrics) {
    this.sources = new LinkedHashMap<>(sources);
    this.limits = limits;
    this.metrics = metrics;
    if (sources.isEmpty()) {
      throw new IllegalArgumentException("a server has a model at least, but none was given");
    }
    for (String name : sources.keySet()) {
      if (!NAME.matcher(name).matches()) {
        throw new IllegalArgumentException(
            "the name of a model has letters, digits, points, dashes and underscores, but this one is '%s'; give another as NAME=PATH"
                .formatted(name));
      }
    }
    try {
      sources.keySet().forEach(this::load);
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  List<String> names() {
    return List.copyOf(sources.keySet());
  }

  /// Returns the newest version. Throws [Reply.RefusedException] if there is no such model.
  ServedModel get(String name) {
    ServedModel model = loaded.get(name);
    if (model == null) {
      throw Reply.unknown(
          "there is no model %s; there are %s"
              .formatted(Shown.name(name), String.join(", ", names())));
    }
    return model;
  }

  /// Returns the number of images of all models that were admitted and are not answered, also by
  /// versions that are retired.
  int depth() {
    return alive.stream().mapToInt(ServedModel::depth).sum();
  }

  /// Opens a model again and puts it in the place of its version until now, which still answers
  /// what it has admitted. Returns the new version. Throws what the source throws; then nothing has
  /// changed.
  int load(String name) {
    loading.lock();
    try {
      ServedModel old = loaded.get(name);
      int version = old == null ? 1 : old.version() + 1;
      var classifier = Objects.requireNonNull(sources.get(name)).open();
      var model =
          new ServedModel(name, version, classifier, limits, images -> metrics.batch(name, images));
      try {
        model.start();
      } catch (RuntimeException | Error e) {
        classifier.close();
        throw e;
      }
      alive.add(model);
      loaded.put(name, model);
      if (old == null) {
        metrics.serves(name, this);
      } else {
        retire(old);
      }
      return version;
    } finally {
      loading.unlock();
    }
  }

  private void retire(ServedModel model) {
    retiring.removeIf(thread -> !thread.isAlive());
    retiring.add(
        Thread.ofPlatform()
            .name("fathom-serve-retiring")
            .daemon()
            .start(() -> {
              try {
                model.retire();
                alive.remove(model);
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            }));
  }

  /// Closes all of them when what they have admitted is answered.
  void close() {
    loading.lock();
    try {
      loaded.values().forEach(this::retire);
      for (Thread thread : retiring) {
        thread.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      loading.unlock();
    }
  }
}
