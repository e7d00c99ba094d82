package fathom.io;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class AtomicFileTest {
  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void nameTheFile() {
    file = folder.resolve("run.json");
  }

  @Test
  void createsAndReplaces() throws IOException {
    AtomicFile.replace(file, bytes("first, and longer"));
    assertEquals("first, and longer", Files.readString(file));
    AtomicFile.replace(file, out -> out.write(bytes("second")));
    assertEquals("second", Files.readString(file));
    assertEquals(Set.of("run.json"), names());
  }

  @Test
  void theContentMayCloseItsStream() throws IOException {
    AtomicFile.replace(
        file,
        out -> {
          out.write(bytes("closed"));
          out.close();
        });
    assertEquals("closed", Files.readString(file));
  }

  /// As a full disk does it.
  @Test
  void aFailedWriteLeavesThePreviousFile() throws IOException {
    AtomicFile.Content full =
        out -> {
          out.write(new byte[100_000]);
          throw new IOException("No space left on device");
        };
    var first = assertThrows(BadFileException.class, () -> AtomicFile.replace(file, full));
    assertEquals(
        file + ": cannot be written: No space left on device; no file was left behind",
        first.getMessage());
    assertEquals(Set.of(), names());
    AtomicFile.replace(file, bytes("previous"));
    var second = assertThrows(BadFileException.class, () -> AtomicFile.replace(file, full));
    assertEquals(
        file + ": cannot be written: No space left on device; the previous file is intact",
        second.getMessage());
    assertEquals("previous", Files.readString(file));
    assertEquals(Set.of("run.json"), names());
  }

  @Test
  void aWriterThatDiesHalfWayLeavesThePreviousFile() throws IOException {
    AtomicFile.replace(file, bytes("previous"));
    for (Throwable death : List.of(new IllegalStateException("half way"), new OutOfMemoryError())) {
      Throwable thrown =
          assertThrows(
              death.getClass(),
              () ->
                  AtomicFile.replace(
                      file,
                      out -> {
                        out.write(new byte[100_000]);
                        throwAny(death);
                      }));
      assertSame(death, thrown);
      assertEquals("previous", Files.readString(file));
      assertEquals(Set.of("run.json"), names());
    }
  }

  /// While the new content is written, the old one is what the name leads to.
  @Test
  void theOldContentIsThereUntilTheNewOneIsComplete() throws IOException {
    AtomicFile.replace(file, bytes("old"));
    AtomicFile.replace(
        file,
        out -> {
          out.write(bytes("new"));
          assertEquals("old", Files.readString(file));
          assertEquals(2, names().size());
        });
    assertEquals("new", Files.readString(file));
  }

  @Test
  void aReaderSeesOneContentOrTheOther() throws Exception {
    AtomicFile.replace(file, content(0));
    AtomicBoolean done = new AtomicBoolean();
    try (ExecutorService threads = Executors.newFixedThreadPool(1)) {
      Future<Integer> reader =
          threads.submit(() -> {
            int reads = 0;
            while (!done.get()) {
              byte[] seen = Files.readAllBytes(file);
              assertTrue(Arrays.equals(content(seen[0]), seen), "a mixture of contents");
              reads++;
            }
            return reads;
          });
      for (int i = 0; i < 50; i++) {
        AtomicFile.replace(file, content(i));
      }
      done.set(true);
      assertTrue(reader.get() > 0);
    }
  }

  @Test
  void writersOfTheSameFileDoNotMix() throws Exception {
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      for (int round = 0; round < 15; round++) {
        Files.deleteIfExists(file);
        List<Callable<Void>> writers =
            IntStream.range(0, 4).<Callable<Void>>mapToObj(i -> () -> write(i)).toList();
        for (Future<Void> written : threads.invokeAll(writers)) {
          written.get();
        }
        byte[] last = Files.readAllBytes(file);
        assertTrue(Arrays.equals(content(last[0]), last));
        assertEquals(Set.of("run.json"), names());
      }
    }
  }

  /// By one of two spellings of the file's name.
  private Void write(int i) {
    AtomicFile.replace(i % 2 == 0 ? file : folder.resolve("./run.json"), content(i));
    return null;
  }

  /// What Ctrl-C sends must not keep the last checkpoint from being saved.
  @Test
  void anInterruptedThreadSavesAndStaysInterrupted() throws IOException {
    Thread.currentThread().interrupt();
    try {
      AtomicFile.replace(file, bytes("saved"));
    } finally {
      assertTrue(Thread.interrupted());
    }
    assertEquals("saved", Files.readString(file));
  }

  /// A number beyond those of Linux and macOS stands for a process that was killed.
  @Test
  void whatAKilledProcessLeftIsDeleted() throws IOException {
    long own = ProcessHandle.current().pid();
    long living = ProcessHandle.current().parent().map(ProcessHandle::pid).orElse(own);
    assumeTrue(living != own, "no other process is visible");
    Set<String> kept =
        Set.of(
            ".run.json.%s-0.tmp".formatted(living),
            ".run.json.tmp",
            ".other.json.999999999-0.tmp",
            ".run.json.999999999-0.tmp.txt",
            ".runXjson.999999999-0.tmp");
    Set<String> deleted =
        Set.of(".run.json.999999999-0.tmp", ".run.json.%s-987654321.tmp".formatted(own));
    for (String name : kept) {
      Files.createFile(folder.resolve(name));
    }
    for (String name : deleted) {
      Files.createFile(folder.resolve(name));
    }
    AtomicFile.replace(file, bytes("new"));
    for (String name : kept) {
      assertTrue(names().contains(name), name);
    }
    for (String name : deleted) {
      assertFalse(names().contains(name), name);
    }
  }

  @Test
  void whatCannotBeReplacedIsRefused() throws IOException {
    Path missing = folder.resolve("nowhere/run.json");
    assertRefused(missing, "there is no folder " + missing.getParent());
    assertRefused(folder, "only a regular file", "a folder");
    Path plain = Files.createFile(folder.resolve("plain"));
    assertRefused(plain.resolve("run.json"), "there is no folder " + plain);
    assertRefused(folder.resolve("n".repeat(300)), "cannot be written: ", "no file was left");
    try (ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      Path socket = folder.resolve("socket");
      channel.bind(UnixDomainSocketAddress.of(socket));
      assertRefused(socket, "only a regular file", "device");
    }
  }

  @Test
  void aFolderThatMayNotBeWrittenIsNamed() throws IOException {
    Path locked = Files.createDirectory(folder.resolve("locked"));
    Path inside = locked.resolve("run.json");
    AtomicFile.replace(inside, bytes("previous"));
    assumeTrue(locked.toFile().setWritable(false));
    try {
      assumeFalse(Files.isWritable(locked), "this user may write anywhere");
      assertRefused(inside, "permission denied", "the previous file is intact");
      assertEquals("previous", Files.readString(inside));
    } finally {
      assertTrue(locked.toFile().setWritable(true));
    }
  }

  @Test
  void aLinkIsFollowed() throws IOException {
    Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
    Path target = elsewhere.resolve("target.json");
    AtomicFile.replace(target, bytes("old"));
    assumeTrue(canLink(target), "links are not allowed here");
    AtomicFile.replace(file, bytes("new"));
    assertTrue(Files.isSymbolicLink(file));
    assertEquals("new", Files.readString(target));
  }

  @Test
  void aNameWithoutAFolderIsInTheWorkingFolder() {
    Path name = Path.of("fathom-atomic-file-test-" + ProcessHandle.current().pid());
    try {
      AtomicFile.replace(name, bytes("here"));
      assertEquals("here", Files.readString(name.toAbsolutePath()));
    } catch (IOException e) {
      throw new AssertionError(e);
    } finally {
      assertDoesNotThrow(() -> Files.deleteIfExists(name));
    }
  }

  private boolean canLink(Path target) {
    try {
      Files.createSymbolicLink(file, target);
      return true;
    } catch (IOException | UnsupportedOperationException e) {
      return false;
    }
  }

  private static void assertRefused(Path path, String... message) {
    var refused =
        assertThrows(BadFileException.class, () -> AtomicFile.replace(path, bytes("content")));
    for (String part : message) {
      assertTrue(String.valueOf(refused.getMessage()).contains(part), refused.getMessage());
    }
  }

  private Set<String> names() throws IOException {
    try (var files = Files.list(folder)) {
      return Set.copyOf(files.map(path -> String.valueOf(path.getFileName())).toList());
    }
  }

  /// Bytes that say which content they belong to; each content has its own length.
  private static byte[] content(int i) {
    byte[] content = new byte[20_000 + 1000 * i];
    Arrays.fill(content, (byte) i);
    return content;
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @SuppressWarnings("unchecked")
  private static <T extends Throwable> void throwAny(Throwable t) throws T {
    throw (T) t;
  }
}
