package fathom.parallel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LaunchTest {
  private static Launch of(String... variables) {
    Map<String, String> environment =
        Arrays.stream(variables)
            .map(each -> each.split("=", 2))
            .collect(Collectors.toMap(each -> each[0], each -> each[1]));
    return Launch.of(environment::get);
  }

  private static final String[] PLAIN = {
    "RANK=1", "WORLD_SIZE=4", "MASTER_ADDR=a", "MASTER_PORT=77"
  };

  @Test
  void withoutALauncherThereIsOneProcess() {
    assertEquals("none: one process", of().toString());
    assertFalse(of("RANK=1").isLaunched(), "half of what a launcher says");
    assertFalse(
        of("SLURM_PROCID=0", "SLURM_NTASKS=4").isLaunched(), "a batch script, not a task of srun");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "RANK=1 WORLD_SIZE=4 MASTER_ADDR=a MASTER_PORT=77"
            + "|RANK: rank 1 of 4, which meet at a:77",
        "RANK=1 WORLD_SIZE=4 MASTER_ADDR=a MASTER_PORT=77 TORCHELASTIC_RUN_ID=x"
            + " TORCHELASTIC_USE_AGENT_STORE=True PET_NNODES=2 PET_NODE_RANK=0"
            + "|torchrun: rank 1 of 4, which meet at a:77 in the launcher's store",
        "RANK=0 WORLD_SIZE=4 MASTER_ADDR=a MASTER_PORT=77 TORCHELASTIC_RUN_ID=x"
            + " TORCHELASTIC_USE_AGENT_STORE=False"
            + "|torchrun: rank 0 of 4, which meet at a:77",
        "PET_NNODES=3 PET_NODE_RANK=2 PET_NPROC_PER_NODE=auto PET_MASTER_ADDR=b"
            + " PET_MASTER_PORT=29400|PET_*: rank 2 of 3, which meet at b:29400",
        "SLURM_STEP_ID=0 SLURM_PROCID=5 SLURM_STEP_NUM_TASKS=8 SLURM_NTASKS=9"
            + " SLURM_STEP_NODELIST=node[07-10,12],login SLURM_JOB_ID=40007"
            + "|Slurm: rank 5 of 8, which meet at node07:20007",
        "OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_LOCAL_SIZE=2"
            + "|Open MPI: rank 1 of 2, which meet at 127.0.0.1:29500"
      })
  void eachLauncherIsRead(String variables, String line) {
    assertEquals(line, of(variables.split(" ")).toString());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {"a,b|a", "node[1-4]|node1", "n[03,05-06]-ib,x|n03-ib", "single|single"})
  void theFirstNodeOfAList(String nodes, String first) {
    assertEquals(first, Launch.firstNode(nodes));
  }

  @Test
  void coresAreSharedByTheProcessesOfAHost() {
    int cores = Runtime.getRuntime().availableProcessors();
    assertEquals(cores, of(PLAIN).threads());
    String[] local = Arrays.copyOf(PLAIN, PLAIN.length + 1);
    local[PLAIN.length] = "LOCAL_WORLD_SIZE=" + cores;
    assertEquals(1, of(local).threads());
    local[PLAIN.length] = "LOCAL_WORLD_SIZE=" + 100 * cores;
    assertEquals(1, of(local).threads());
  }

  @Test
  void whatContradictsItselfIsRefused() {
    var tooLarge =
        assertThrows(
            IllegalArgumentException.class,
            () -> of("RANK=4", "WORLD_SIZE=4", "MASTER_ADDR=a", "MASTER_PORT=77"));
    assertTrue(tooLarge.getMessage().contains("rank 4 of 4"), tooLarge.getMessage());
    var noNumber =
        assertThrows(IllegalArgumentException.class, () -> of("PET_NNODES=1:4", "PET_NODE_RANK=0"));
    assertTrue(noNumber.getMessage().contains("PET_NNODES=1:4"), noNumber.getMessage());
    var nowhere = assertThrows(IllegalArgumentException.class, () -> of("RANK=0", "WORLD_SIZE=2"));
    assertTrue(nowhere.getMessage().contains("set MASTER_ADDR"), nowhere.getMessage());
    var several =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                of(
                    "OMPI_COMM_WORLD_RANK=1",
                    "OMPI_COMM_WORLD_SIZE=2",
                    "OMPI_COMM_WORLD_LOCAL_SIZE=1"));
    assertTrue(several.getMessage().contains("set MASTER_ADDR"), several.getMessage());
  }
}
