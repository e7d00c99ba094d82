package fathom.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The other systems that a benchmark runs in turn with Fathom, as far as they are installed.
///
/// @param asked the kinds of peers that the user asks for
/// @param python the interpreter of the environment that has PyTorch or others, or null for none
/// @param systems which of them it has
/// @param java the programs for ONNX Runtime and DJL, or null where they are not built
public record Peers(
    Set<Kind> asked, @Nullable Path python, Set<String> systems, @Nullable JavaPeers java) {
  static final String PYTORCH = "PyTorch";
  static final String JAX = "JAX";
  static final String KERAS = "Keras on TensorFlow";
  static final String ONNX_RUNTIME = "ONNX Runtime";
  static final String OPENVINO = "OpenVINO";

  /// The module by which each system is recognized in the Python environment.
  private static final Map<String, String> MODULES =
      Map.of(
          PYTORCH,
          "torch",
          JAX,
          "jax",
          KERAS,
          "keras, tensorflow",
          ONNX_RUNTIME,
          "onnxruntime",
          OPENVINO,
          "openvino");

  /// Where Linux distributions put the libraries of [#ALLOCATORS].
  private static final List<Path> LIBRARIES =
      List.of(
          Path.of("/usr/lib/x86_64-linux-gnu"),
          Path.of("/usr/lib/aarch64-linux-gnu"),
          Path.of("/usr/lib64"),
          Path.of("/usr/lib"));

  private static final Map<String, String> ALLOCATORS =
      Map.of("tcmalloc", "libtcmalloc_minimal.so.4", "jemalloc", "libjemalloc.so.2");

  /// The sources of peers.
  public enum Kind {
    /// Scripts in the Python environment that `FATHOM_PEERS` names.
    PYTHON,
    /// Programs that Maven builds, with the libraries that it downloads for them.
    MAVEN
  }

  /// Copies the sets.
  public Peers {
    asked = Set.copyOf(asked);
    systems = Set.copyOf(systems);
  }

  /// Finds the peers of the kinds that are asked for, and builds those of Maven. `say` receives
  /// messages about what takes time and what is missing.
  public static Peers find(Set<Kind> asked, Consumer<String> say) {
    var systems = new HashSet<String>();
    Path python = asked.contains(Kind.PYTHON) ? Peer.python() : null;
    if (python != null) {
      MODULES.forEach((system, module) -> {
        if (Peer.has(python, module)) {
          systems.add(system);
        }
      });
    }
    if (asked.contains(Kind.PYTHON) && systems.isEmpty()) {
      say.accept(Peer.NO_PYTHON);
    }
    JavaPeers java = null;
    if (asked.contains(Kind.MAVEN)) {
      try {
        java = JavaPeers.build(say);
      } catch (JavaPeers.NotBuiltException e) {
        say.accept("no ONNX Runtime and no DJL: " + e.getMessage());
      }
    }
    return new Peers(asked, python, systems, java);
  }

  /// Returns whether this system is asked for and installed in the Python environment.
  boolean has(String system) {
    return systems.contains(system);
  }

  /// Starts a script of a system in one of its forms, which may be empty.
  void python(Lineup lineup, String system, String form, String script, String... arguments) {
    python(lineup, system, form, null, script, arguments);
  }

  /// Returns the command of a script that is a whole process, or null where its system is not asked
  /// for or not installed.
  @Nullable List<String> script(String system, String script, String... arguments) {
    return python == null || !has(system) ? null : Peer.command(python, script, arguments);
  }

  /// Starts the same form once more under each allocator that is installed. PyTorch's guide to
  /// tuning asks for one, because glibc gives large blocks back at every step.
  void pythonWithAllocators(
      Lineup lineup, String system, String form, String script, String... arguments) {
    if (has(system)) {
      new TreeMap<>(ALLOCATORS)
          .forEach((name, file) ->
              LIBRARIES.stream()
                  .map(folder -> folder.resolve(file))
                  .filter(Files::isReadable)
                  .findFirst()
                  .ifPresent(library ->
                      python(lineup, system, form + ", " + name, library, script, arguments)));
    }
  }

  private void python(
      Lineup lineup,
      String system,
      String form,
      @Nullable Path preload,
      String script,
      String... arguments) {
    if (asked.contains(Kind.PYTHON)) {
      if (python == null || !has(system)) {
        lineup.missing.add(system);
      } else {
        lineup.add((system + " " + form).strip(), Peer.command(python, script, arguments), preload);
      }
    }
  }

  /// Starts a Java program.
  void java(Lineup lineup, String system, Function<JavaPeers, List<String>> command) {
    if (asked.contains(Kind.MAVEN)) {
      if (java == null) {
        lineup.missing.add(system);
      } else {
        lineup.add(system, command.apply(java), null);
      }
    }
  }

  /// The peers that do one piece of work and wait for orders until this is closed, and the names of
  /// those that are not installed.
  static final class Lineup implements AutoCloseable {
    private final List<Peer> running = new ArrayList<>();
    private final Set<String> missing = new LinkedHashSet<>();

    /// Starts a peer. Throws `IllegalStateException` if it does not start.
    private void add(String name, List<String> command, @Nullable Path preload) {
      running.add(Peer.start(name, command, preload));
    }

    /// Returns the peers as contenders, of which one run is the mean of `count` runs in a row.
    List<DoubleSupplier> contenders(int count) {
      return running.stream()
          .map(peer -> (DoubleSupplier) () -> Alternation.mean(count, peer::run))
          .toList();
    }

    String name(int i) {
      return running.get(i).name();
    }

    /// Returns the most memory that each peer has had in use so far, in MB.
    double[] peaks() {
      return running.stream().mapToDouble(Peer::peak).toArray();
    }

    /// Makes a result from Fathom's runs and those of a peer.
    interface Line {
      Result of(@Nullable String peer, double @Nullable [] runs);
    }

    /// Returns a result for each peer, of which the first has `runs[first]`; one without a peer if
    /// there are no peers.
    List<Result> results(double[][] runs, int first, Line line) {
      var results = new ArrayList<Result>();
      for (int i = 0; i < running.size(); i++) {
        results.add(line.of(running.get(i).name(), runs[first + i]));
      }
      missing.forEach(name -> results.add(line.of(name, null)));
      if (results.isEmpty()) {
        results.add(line.of(null, null));
      }
      return results;
    }

    @Override
    public void close() {
      running.forEach(Peer::close);
    }
  }
}
