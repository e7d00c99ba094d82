package fathom;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import fathom.loss.CrossEntropy;
import fathom.net.CifarNet;
import fathom.net.ImageShape;
import fathom.net.Norm;
import fathom.net.Shortcut;
import fathom.nn.Fused;
import fathom.nn.Init;
import fathom.nn.Recompute;
import fathom.optim.Sgd;
import fathom.parallel.Step;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;

/// Memory stays flat while a net is trained; and the lifetimes that see to it.
class MemoryTest {
  private static final int STEPS = Boolean.getBoolean("fathom.long") ? 20_000 : 2_000;
  private static final int PLANTED = 40;
  private static final int WARM_UP = 50;
  private static final double FLAT = 0.02;

  // ---- Flat

  /// A training of a small residual net, one step at a time.
  private static final class Training {
    private final Layer net;
    private final FlatParams flat;
    private final Sgd sgd;

    Training(boolean recompute) {
      Layer plain =
          new CifarNet(8, Shortcut.A, Norm.BATCH, 4, new ImageShape(3, 8, 8), 10).build(Init.he(1));
      Layer fused = Fused.of(plain);
      net = recompute ? new Recompute(fused) : fused;
      flat = FlatParams.of(net.params());
      sgd = new Sgd(flat, 0.9, 1e-4);
    }

    void step(int index) {
      try (var _ = Scope.open()) {
        Tensor x = Tensor.zeros(DType.FLOAT32, 8, 3, 8, 8).plus(index % 5);
        Traced logits = net.forward(x);
        Traced loss = CrossEntropy.of(logits.value(), new int[8]);
        logits.accumulate(loss.back(Tensor.scalar(DType.FLOAT32, 1)));
        sgd.step(0.01);
        net.predict(x);
      }
    }
  }

  private interface Step {
    void run(int index);
  }

  /// Throws `AssertionError` if steps leave anything behind: tensors, their bytes, native objects
  /// or, where the system tells it, resident memory.
  private static void assertFlat(int steps, Step step) throws IOException {
    run(step, WARM_UP);
    touchHeap();
    long tensors = Tensor.live();
    long bytes = Tensor.liveBytes();
    long pointers = Pointer.totalCount();
    double growth = growth(steps, step);
    assertEquals(tensors, Tensor.live(), "tensors that live after %s steps".formatted(steps));
    assertEquals(bytes, Tensor.liveBytes(), "bytes that live after %s steps".formatted(steps));
    assertTrue(
        Pointer.totalCount() <= pointers,
        "there were %s native objects, %s steps later %s"
            .formatted(pointers, steps, Pointer.totalCount()));
    // The compiler takes memory too, but only once: a leak is what grows again and again.
    for (int again = 0; again < 2 && growth >= FLAT; again++) {
      growth = growth(steps, step);
    }
    assertTrue(
        growth < FLAT, "resident memory grew by %s %% in %s steps".formatted(100 * growth, steps));
  }

  private static double growth(int steps, Step step) throws IOException {
    long before = residentPages();
    run(step, steps);
    return (residentPages() - before) / (double) before;
  }

  private static void run(Step step, int steps) {
    for (int i = 0; i < steps; i++) {
      step.run(i);
    }
  }

  /// Fills the young part of the heap, so that it does not grow into new pages any more.
  private static void touchHeap() {
    long total = Runtime.getRuntime().totalMemory();
    long sum = 0;
    for (long made = 0; made < total; made += 1 << 20) {
      sum += new byte[1 << 20].length;
    }
    assertTrue(sum >= total);
  }

  /// 1 where the system has no /proc.
  private static long residentPages() throws IOException {
    Path statm = Path.of("/proc/self/statm");
    return Files.exists(statm) ? Long.parseLong(Files.readString(statm).split(" ")[1]) : 1;
  }

  /// A soak in a JVM of its own, where nothing else makes resident memory grow or hides that it
  /// does: the number of steps, `recompute` or `remember`, and how many bytes nobody counts to leak
  /// in each.
  public static void main(String[] args) throws IOException {
    try (var _ = Scope.open();
        Arena leaked = Arena.ofConfined()) {
      var training = new Training(args[1].equals("recompute"));
      long leak = Long.parseLong(args[2]);
      assertFlat(
          Integer.parseInt(args[0]),
          index -> {
            training.step(index);
            if (leak > 0) {
              leaked.allocate(leak).fill((byte) 1);
            }
          });
    }
  }

  /// The exit code and the output of a soak.
  private static String soak(int expectedCode, int steps, String kind, long leak) throws Exception {
    Path out = Files.createTempFile("soak", ".txt");
    try {
      Process process =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "@" + System.getProperty("fathom.jvm.args"),
                  "-Xmx128m",
                  "-cp",
                  System.getProperty("java.class.path"),
                  MemoryTest.class.getName(),
                  Integer.toString(steps),
                  kind,
                  Long.toString(leak))
              .redirectErrorStream(true)
              .redirectOutput(out.toFile())
              .start();
      assertTrue(process.waitFor(5, TimeUnit.MINUTES), "a soak ends within 5 minutes");
      String printed = Files.readString(out);
      assertEquals(expectedCode, process.exitValue(), printed);
      return printed;
    } finally {
      Files.delete(out);
    }
  }

  @Test
  void trainingLeavesNothingBehind() throws Exception {
    soak(0, STEPS, "remember", 0);
  }

  @Test
  void trainingWithRecomputationLeavesNothingBehind() throws Exception {
    soak(0, STEPS, "recompute", 0);
  }

  @Test
  void memoryThatNobodyCountsIsSeen() throws Exception {
    assumeTrue(residentPages() > 1, "the system does not tell the resident size");
    String printed = soak(1, PLANTED, "remember", 1 << 20);
    assertTrue(printed.contains("resident memory grew"), printed);
  }

  @Test
  void aTensorKeptOfEveryStepIsSeen() {
    try (var _ = Scope.open()) {
      var training = new Training(false);
      assertLeaks(
          "tensors that live",
          index -> {
            training.step(index);
            Tensor.zeros(DType.FLOAT32, 3);
          });
    }
  }

  @Test
  void aNativeObjectKeptOfEveryStepIsSeen() {
    try (var _ = Scope.open()) {
      var training = new Training(false);
      var kept = new ArrayList<Pointer>();
      assertLeaks(
          "native objects",
          index -> {
            training.step(index);
            kept.add(new org.bytedeco.pytorch.Scalar(index));
          });
      kept.forEach(Pointer::close);
    }
  }

  private static void assertLeaks(String what, Step step) {
    var e =
        assertThrows(
            AssertionError.class, () -> assertFlat(PLANTED, step), "the leak was not seen");
    assertTrue(e.getMessage().contains(what), e.getMessage());
  }

  // ---- Lifetimes

  @Test
  void aTensorDiesWithItsScope() {
    Tensor dead;
    try (var _ = Scope.open()) {
      dead = Tensor.zeros(DType.FLOAT32, 2, 3);
    }
    for (Runnable use :
        new Runnable[] {dead::toDoubles, dead::segment, dead::relu, dead::alias, dead::zero_}) {
      try (var _ = Scope.open()) {
        assertDead(use);
      }
    }
    try (var _ = Scope.open()) {
      Tensor alive = Tensor.zeros(DType.FLOAT32, 2, 3);
      assertDead(() -> alive.plus(dead));
      assertDead(() -> alive.add_(dead));
      assertDead(() -> alive.copy_(dead));
    }
    assertEquals("FLOAT32 2×3 (freed)", dead.toString());
    assertEquals(Shape.of(2, 3), dead.shape());
  }

  private static void assertDead(Runnable use) {
    String message = assertThrows(IllegalStateException.class, use::run).getMessage();
    assertTrue(message.contains("2×3") && message.contains("keep()"), message);
  }

  @Test
  void aTensorThatIsKeptLivesInTheOuterScope() {
    long before = Tensor.live();
    try (var _ = Scope.open()) {
      Tensor kept;
      try (var inner = Scope.open()) {
        Tensor x = Tensor.of(new double[] {1, 2}, 2);
        kept = inner.keep(x.times(3));
        assertSame(kept, inner.keep(kept), "keeping twice is keeping once");
      }
      assertEquals(before + 1, Tensor.live());
      assertArrayEquals(new double[] {3, 6}, kept.toDoubles());
      try (var inner = Scope.open()) {
        assertSame(kept, inner.keep(kept), "a tensor of an outer scope stays there");
      }
      assertArrayEquals(new double[] {3, 6}, kept.toDoubles());
    }
    assertEquals(before, Tensor.live());
  }

  @Test
  void aViewOutlivesWhatItIsAViewOf() {
    try (var _ = Scope.open()) {
      Tensor part;
      try (var inner = Scope.open()) {
        part = inner.keep(Tensor.of(new double[] {1, 2, 3, 4}, 2, 2).narrow(0, 1, 2));
      }
      assertArrayEquals(new double[] {3, 4}, part.toDoubles());
    }
  }

  @Test
  void memoryOfOthersIsHeldAsLongAsATensorIsOverIt() {
    try (var _ = Scope.open()) {
      long bytes = Tensor.liveBytes();
      MemorySegment memory = Arena.ofAuto().allocate(16, 64);
      Tensor t = Tensor.over(memory, DType.FLOAT32, false, 2, 2);
      assertEquals(bytes, Tensor.liveBytes(), "it is not ours");
      t.segment().set(ValueLayout.JAVA_FLOAT, 4, 5);
      assertArrayEquals(new double[] {0, 5, 0, 0}, t.toDoubles());
      assertEquals(memory.address(), t.segment().address());
    }
  }

  @Test
  void releaseFreesAtOnceAndOnce() {
    long before = Tensor.live();
    long bytes = Tensor.liveBytes();
    try (var _ = Scope.open()) {
      Tensor t = Tensor.zeros(DType.FLOAT64, 5);
      assertEquals(bytes + 40, Tensor.liveBytes());
      t.release();
      t.release();
      assertEquals(before, Tensor.live());
      assertEquals(bytes, Tensor.liveBytes());
      assertThrows(IllegalStateException.class, t::toDoubles);
    }
    assertEquals(before, Tensor.live());
    assertEquals(bytes, Tensor.liveBytes());
  }

  @Test
  void aTensorWithoutAScopeIsRefused() {
    long before = Tensor.live();
    long bytes = Tensor.liveBytes();
    var e = assertThrows(IllegalStateException.class, () -> Tensor.zeros(DType.FLOAT32, 2));
    assertTrue(
        e.getMessage().contains("Scope.open()")
            && e.getMessage().contains(Thread.currentThread().getName()),
        e.getMessage());
    assertEquals(before, Tensor.live(), "a tensor that was refused does not live");
    assertEquals(bytes, Tensor.liveBytes());
  }

  @Test
  void aScopeIsOfItsThread() throws InterruptedException {
    try (var scope = Scope.open()) {
      var refused = new AtomicReference<Throwable>();
      var closed = new AtomicReference<Throwable>();
      Thread other =
          Thread.ofPlatform()
              .name("other")
              .start(() -> {
                refused.set(
                    assertThrows(
                        IllegalStateException.class, () -> Tensor.zeros(DType.FLOAT32, 1)));
                closed.set(assertThrows(IllegalStateException.class, scope::close));
              });
      other.join();
      assertTrue(refused.get().getMessage().contains("\"other\""), refused.get().getMessage());
      assertTrue(
          closed.get().getMessage().contains("\"other\" closes it"), closed.get().getMessage());
      Tensor.zeros(DType.FLOAT32, 1).toDoubles();
    }
  }

  @Test
  void scopesCloseInnermostFirst() {
    Scope outer = Scope.open();
    Scope inner = Scope.open();
    Tensor t = Tensor.zeros(DType.FLOAT32, 1);
    var e = assertThrows(IllegalStateException.class, outer::close);
    assertTrue(e.getMessage().contains("innermost first"), e.getMessage());
    assertEquals(0, t.item(), "nothing has died");
    inner.close();
    outer.close();
    outer.close(); // again is nothing
  }

  @Test
  void keepNeedsAnEnclosingScope() {
    try (var scope = Scope.open()) {
      Tensor t = Tensor.zeros(DType.FLOAT32, 1);
      var e = assertThrows(IllegalStateException.class, () -> scope.keep(t));
      assertTrue(e.getMessage().contains("outermost"), e.getMessage());
    }
  }

  @Test
  void aScopeClosesWhenItsBodyFails() {
    long before = Tensor.live();
    assertThrows(
        ArithmeticException.class,
        () -> {
          try (var _ = Scope.open()) {
            Tensor.zeros(DType.FLOAT32, 1);
            throw new ArithmeticException();
          }
        });
    assertEquals(before, Tensor.live());
    assertThrows(IllegalStateException.class, Scope::innermost);
  }
}
