package fathom;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The files by which Linux tells of memory, made below a folder.
class ContainerTest {
  private static final String NO_LIMIT = "9223372036854771712";

  @TempDir Path root;

  private void write(String file, String content) throws IOException {
    Path path = root.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, content + "\n");
  }

  private void version1(String group, String limit, long taken) throws IOException {
    write("sys/fs/cgroup/memory/%s/memory.limit_in_bytes".formatted(group), limit);
    write(
        "sys/fs/cgroup/memory/%s/memory.stat".formatted(group),
        "cache 5\nrss 7\nrss_huge 0\ntotal_cache 99\ntotal_rss %s\ntotal_rss_huge 3"
            .formatted(taken));
  }

  private void version2(String group, String limit, long taken) throws IOException {
    write("sys/fs/cgroup/%s/memory.max".formatted(group), limit);
    write(
        "sys/fs/cgroup/%s/memory.stat".formatted(group),
        "anon_thp 1\nanon %s\nfile 99".formatted(taken));
  }

  private void machine(long totalMegabytes, long availableMegabytes) throws IOException {
    write(
        "proc/meminfo",
        "MemTotal: %s kB\nMemFree: 1 kB\nMemAvailable:   %s kB"
            .formatted(
                totalMegabytes * 1000 * 1000 / 1024, availableMegabytes * 1000 * 1000 / 1024));
  }

  private List<Container.Group> groups() {
    return new Container(root).groups();
  }

  private Memory memory() {
    return new Memory(root, () -> HEAP);
  }

  // ---- Limits

  @Test
  void version1IsReadWithItsParents() throws IOException {
    write("proc/self/cgroup", "9:cpu:/other\n4:memory:/a/b\n0::/");
    version1("a/b", "900000000", 300);
    version1("a", NO_LIMIT, 400);
    version1("", "800000000", 500);
    assertEquals(
        List.of(new Container.Group(900e6, 300), new Container.Group(800e6, 500)), groups());
  }

  @Test
  void version2IsReadWithItsParents() throws IOException {
    write("proc/self/cgroup", "0::/user.slice/run-1.scope");
    version2("user.slice/run-1.scope", "900000000", 300);
    version2("user.slice", "max", 400);
    assertEquals(List.of(new Container.Group(900e6, 300)), groups());
    version2("user.slice", "700000000", 400);
    assertEquals(2, groups().size());
  }

  /// A container is told its path on the host, but what it sees is its own group alone.
  @ParameterizedTest
  @ValueSource(strings = {"4:memory:/docker/12ab", "0::/docker/12ab", "0::/../../x", "0::/"})
  void inAContainerTheRootIsItsOwnGroup(String line) throws IOException {
    write("proc/self/cgroup", line);
    version1("", "900000000", 300);
    version2("", "900000000", 300);
    assertEquals(List.of(new Container.Group(900e6, 300)), groups());
  }

  @Test
  void whereNothingIsToldThereIsNoLimit() throws IOException {
    assertEquals(List.of(), groups(), "no Linux");
    write("proc/self/cgroup", "no line\n\n4:memory:/a\n0::/a");
    assertEquals(List.of(), groups(), "no folders");
    version1("a", "many", 1);
    version2("a", "max", 1);
    assertEquals(List.of(), groups());
    write("sys/fs/cgroup/a/memory.max", "500");
    Files.delete(root.resolve("sys/fs/cgroup/a/memory.stat"));
    assertEquals(List.of(new Container.Group(500, 0)), groups(), "without statistics");
  }

  // ---- What tensors can have

  private static final long HEAP = 50_000_000;

  private void resident(long megabytes) throws IOException {
    write(
        "proc/self/status",
        "VmRSS: 1 kB\nRssAnon:\t %s kB".formatted(megabytes * 1_000_000 / 1024));
  }

  /// Of 24 GB, 20 of them free, and a limit: nine tenths, less what the group has that is no tensor
  /// of ours, and less what is missing in this process to the 400 MB and the heap that it will
  /// have.
  @ParameterizedTest
  @CsvSource({
    // limit, taken by the group, by this process, live tensors, what they can have, in MB
    "900,   250, 250,   0, 360",
    "900,   450, 450, 200, 360", // tensors are no less for being there
    "900,   500, 250,   0, 110", // half of it is another program's
    "900,   700, 700,   0, 110", // the process has more than usual: images on its heap
    "900,   850, 850,   0,   0", // never less than none
    "2000,  250, 250,   0, 1350",
    "16000, 250, 250,   0, 13950",
    "90000, 250, 250,   0, 17800", // more than the machine has: 0.9 · 20 GB
  })
  void whatTheProcessHasForItselfIsTakenOff(
      long limit, long taken, long resident, long live, long most) throws IOException {
    machine(24_000, 20_000);
    resident(resident);
    String limited = Long.toString(limit * 1_000_000);
    write("proc/self/cgroup", "4:memory:/a");
    version1("a", limited, taken * 1_000_000);
    assertEquals(most * 1e6, memory().most(live * 1e6), 1e5);
    write("proc/self/cgroup", "0::/b");
    version2("b", limited, taken * 1_000_000);
    assertEquals(most * 1e6, memory().most(live * 1e6), 1e5);
  }

  @Test
  void theMachineCountsWhereThereIsNoLimit() throws IOException {
    machine(1000, 700);
    resident(250);
    assertEquals(0.9 * 700e6 - 200e6, memory().most(0), 1e5);
    assertEquals(0.9 * 900e6 - 400e6, memory().most(200e6), 1e5, "50 MB are its own");
    assertEquals(0.9 * 1000e6 - 450e6, memory().most(900e6), 1e5, "no more than it has");
    Files.delete(root.resolve("proc/self/status"));
    assertEquals(0.9 * 700e6 - 450e6, memory().most(0), 1e5, "what it has is not told");
  }

  @Test
  void aTensorThatDoesNotFitIsRefusedBelowAGigabyteToo() throws IOException {
    machine(24_000, 20_000);
    write("proc/self/cgroup", "4:memory:/a");
    version1("a", "900000000", 350_000_000); // of which 100 MB are tensors
    resident(350);
    Memory memory = memory();
    assertDoesNotThrow(() -> memory.checked(Shape.of(60, 1000, 1000), DType.FLOAT32, 100_000_000));
    var e =
        assertThrows(
            DeviceException.class,
            () -> memory.checked(Shape.of(70, 1000, 1000), DType.FLOAT32, 100_000_000));
    String says = String.valueOf(e.getMessage());
    assertTrue(says.contains("takes 280 MB besides 100 MB of others"), says);
    assertTrue(says.contains("can have 360 MB in this container beside"), says);
    assertTrue(says.contains("make the net smaller, or the batch"), says);
    version1("a", NO_LIMIT, 350_000_000);
    assertDoesNotThrow(() -> memory.checked(Shape.of(70, 1000, 1000), DType.FLOAT32, 100_000_000));
  }

  /// What was found to have room is not asked for again: a step makes thousands of tensors.
  @Test
  void theSystemIsAskedAgainOnlyWhereThereAreMore() throws IOException {
    machine(24_000, 20_000);
    write("proc/self/cgroup", "4:memory:/a");
    version1("a", "900000000", 250_000_000);
    resident(250);
    Memory memory = memory();
    memory.checked(Shape.of(70, 1000, 1000), DType.FLOAT32, 0);
    version1("a", "900000000", 800_000_000); // another program has come
    assertDoesNotThrow(() -> memory.checked(Shape.of(70, 1000, 1000), DType.FLOAT32, 0));
    assertThrows(
        DeviceException.class, () -> memory.checked(Shape.of(80, 1000, 1000), DType.FLOAT32, 0));
  }

  @Test
  void thisMachineHasRoomForATensor() {
    long available = Memory.available();
    assertTrue(available > 1 << 20, Long.toString(available));
  }
}
