package fathom.parallel;

import java.nio.file.Path;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What the launcher that started this process says in the environment: which of how many processes
/// it is, and where they meet.
///
/// @param launcher what was found: `torchrun`, `PET_*`, `RANK`, `Slurm`, `Open MPI`, or `none`
/// @param rank the number of this process, from 0
/// @param size the number of processes
/// @param threads the workers for which this process has cores, if the launcher's processes on this
///   host share the cores evenly
/// @param host the host at which the processes meet
/// @param port the port there
/// @param hosted whether the launcher hosts the store at this place; otherwise rank 0 does
/// @param attempt what tells this start of the processes from earlier ones at the same store
/// @param address this host's address for the others, or null to find it
/// @param errorFile where a failure is written for the launcher, or null
public record Launch(
    String launcher,
    int rank,
    int size,
    int threads,
    String host,
    int port,
    boolean hosted,
    String attempt,
    @Nullable String address,
    @Nullable Path errorFile) {
  /// No launcher: one process.
  public static final Launch NONE = alone("none");

  private static final int USUAL_PORT = 29500;

  /// The first of a list such as `node[01-04,07],login`: what is before the brackets, the first
  /// number in them, what is behind them.
  private static final Pattern FIRST_NODE =
      Pattern.compile("([^,\\[]+)(?:\\[([^-,\\]]+)[^\\]]*\\])?([^,]*).*");

  /// Throws `IllegalArgumentException` unless the rank is one of `size`.
  public Launch {
    if (rank < 0 || rank >= size || port < 1 || port > 65535 || threads < 1) {
      throw new IllegalArgumentException(
          "%s says that this is rank %s of %s processes, which meet at port %s; ranks are counted from 0, and ports go from 1 to 65535"
              .formatted(launcher, rank, size, port));
    }
  }

  private static Launch alone(String launcher) {
    int cores = Runtime.getRuntime().availableProcessors();
    return new Launch(launcher, 0, 1, cores, "localhost", USUAL_PORT, false, "", null, null);
  }

  /// Reads the environment of this process.
  public static Launch here() {
    return of(System::getenv);
  }

  /// Reads an environment, in this order: torchrun, Kubeflow Trainer (`PET_*`), `RANK` with
  /// `WORLD_SIZE`, Slurm's `srun`, Open MPI's `mpirun`. Throws `IllegalArgumentException` if what
  /// one of them says is incomplete or contradicts itself.
  public static Launch of(Function<String, @Nullable String> environment) {
    var say = new Environment(environment);
    if (say.has("TORCHELASTIC_RUN_ID", "RANK", "WORLD_SIZE")) {
      boolean agent = "True".equals(environment.apply("TORCHELASTIC_USE_AGENT_STORE"));
      return say.ranked("torchrun", "RANK", "WORLD_SIZE", say.number("LOCAL_WORLD_SIZE", 1), agent);
    }
    if (say.has("PET_NNODES", "PET_NODE_RANK")) {
      return new Launch(
          "PET_*",
          say.number("PET_NODE_RANK", 0),
          say.number("PET_NNODES", 1),
          say.threads(1),
          say.text("PET_MASTER_ADDR", "PET_*"),
          say.number("PET_MASTER_PORT", USUAL_PORT),
          false,
          "",
          environment.apply("GLOO_SOCKET_IFNAME"),
          say.errorFile());
    }
    if (say.has("RANK", "WORLD_SIZE")) {
      return say.ranked("RANK", "RANK", "WORLD_SIZE", say.number("LOCAL_WORLD_SIZE", 1), false);
    }
    if (say.has("SLURM_STEP_ID", "SLURM_PROCID")) { // without a step it is the batch script itself
      return slurm(say);
    }
    if (say.has("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE")) {
      return openMpi(say);
    }
    return NONE;
  }

  private static Launch slurm(Environment say) {
    boolean step = say.has("SLURM_STEP_NUM_TASKS");
    String nodes = say.has("SLURM_STEP_NODELIST") ? "SLURM_STEP_NODELIST" : "SLURM_JOB_NODELIST";
    String perNode = say.orElse("SLURM_STEP_TASKS_PER_NODE", "1").replaceFirst("\\D.*", "");
    return new Launch(
        "Slurm",
        say.number("SLURM_PROCID", 0),
        say.number(step ? "SLURM_STEP_NUM_TASKS" : "SLURM_NTASKS", 1),
        say.has("SLURM_CPUS_PER_TASK")
            ? say.number("SLURM_CPUS_PER_TASK", 1)
            : say.threads(perNode.isEmpty() ? 1 : Integer.parseInt(perNode)),
        say.has("MASTER_ADDR")
            ? say.text("MASTER_ADDR", "Slurm")
            : firstNode(say.text(nodes, "Slurm")),
        // jobs on one host must not meet one another
        say.number("MASTER_PORT", 20_000 + Math.floorMod(say.number("SLURM_JOB_ID", 0), 20_000)),
        false,
        say.orElse("SLURM_STEP_ID", ""),
        say.orNull("GLOO_SOCKET_IFNAME"),
        say.errorFile());
  }

  private static Launch openMpi(Environment say) {
    int size = say.number("OMPI_COMM_WORLD_SIZE", 1);
    int local = say.number("OMPI_COMM_WORLD_LOCAL_SIZE", 1);
    boolean oneHost = local == size && !say.has("MASTER_ADDR");
    return new Launch(
        "Open MPI",
        say.number("OMPI_COMM_WORLD_RANK", 0),
        size,
        say.threads(local),
        oneHost ? "127.0.0.1" : say.text("MASTER_ADDR", "Open MPI"),
        say.number("MASTER_PORT", USUAL_PORT),
        false,
        "",
        say.orNull("GLOO_SOCKET_IFNAME"),
        say.errorFile());
  }

  static String firstNode(String nodes) {
    var matcher = FIRST_NODE.matcher(nodes);
    if (!matcher.matches()) {
      throw new IllegalArgumentException("Slurm's list of nodes is not understood: " + nodes);
    }
    String number = matcher.group(2);
    return matcher.group(1) + (number == null ? "" : number) + matcher.group(3);
  }

  /// Returns whether a launcher started this process, be it the only one.
  public boolean isLaunched() {
    return !launcher.equals(NONE.launcher);
  }

  /// Returns whether this process hosts the store.
  boolean hosts() {
    return rank == 0 && !hosted;
  }

  /// One line for people.
  @Override
  public String toString() {
    return isLaunched()
        ? "%s: rank %s of %s, which meet at %s:%s%s"
            .formatted(launcher, rank, size, host, port, hosted ? " in the launcher's store" : "")
        : "none: one process";
  }

  /// An environment, of which what is empty is not there.
  private record Environment(Function<String, @Nullable String> variables) {
    boolean has(String... names) {
      for (String name : names) {
        if (orNull(name) == null) {
          return false;
        }
      }
      return true;
    }

    @Nullable String orNull(String name) {
      String value = variables.apply(name);
      return value == null || value.isBlank() ? null : value.strip();
    }

    String orElse(String name, String usual) {
      String value = orNull(name);
      return value == null ? usual : value;
    }

    String text(String name, String launcher) {
      String value = orNull(name);
      if (value == null) {
        throw new IllegalArgumentException(
            "%s started this process, but does not say where the processes meet: set %s to the host of rank 0"
                .formatted(launcher, name));
      }
      return value;
    }

    int number(String name, int usual) {
      String value = orNull(name);
      try {
        return value == null ? usual : Integer.parseInt(value);
      } catch (NumberFormatException e) {
        throw new IllegalArgumentException(
            "the environment has %s=%s, which has to be a number; set one, or unset it"
                .formatted(name, value),
            e);
      }
    }

    int threads(int processes) {
      return Math.max(1, Runtime.getRuntime().availableProcessors() / Math.max(1, processes));
    }

    @Nullable Path errorFile() {
      String file = orNull("TORCHELASTIC_ERROR_FILE");
      return file == null ? null : Path.of(file);
    }

    Launch ranked(String launcher, String rank, String size, int local, boolean hosted) {
      int processes = number(size, 1);
      return new Launch(
          launcher,
          number(rank, 0),
          processes,
          threads(local),
          processes == 1 ? orElse("MASTER_ADDR", "localhost") : text("MASTER_ADDR", launcher),
          number("MASTER_PORT", USUAL_PORT),
          hosted,
          orElse("TORCHELASTIC_RUN_ID", "") + "/" + orElse("TORCHELASTIC_RESTART_COUNT", "0"),
          orNull("GLOO_SOCKET_IFNAME"),
          errorFile());
    }
  }
}
