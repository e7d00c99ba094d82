package fathom.infer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.Lifetime;
import fathom.Tensor;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;

class CallsTest {
  @Test
  void theEndWaitsForTheCallsThatRun() throws Exception {
    var life = new Lifetime();
    Tensor kept = life.in(() -> Tensor.of(new double[] {7}, 1));
    var calls = new Calls("net", life);
    var runs = new CountDownLatch(1);
    var goOn = new CountDownLatch(1);
    try (var threads = Executors.newFixedThreadPool(2)) {
      var call =
          threads.submit(() ->
              calls.call(() -> {
                runs.countDown();
                await(goOn);
                return calls.call(kept::item); // a call may make others, even now
              }));
      await(runs);
      var end = threads.submit(calls::close);
      assertThrows(TimeoutException.class, () -> end.get(100, TimeUnit.MILLISECONDS));
      assertFalse(call.isDone());
      goOn.countDown();
      assertEquals(7.0, call.get(10, TimeUnit.SECONDS));
      end.get(10, TimeUnit.SECONDS);
    }
    assertThrows(IllegalStateException.class, kept::item);
    var late = assertThrows(IllegalStateException.class, () -> calls.call(() -> 1));
    assertEquals(
        "a net answers until it is closed, and this one was closed; open another",
        late.getMessage());
  }

  private static void await(CountDownLatch latch) {
    try {
      assertTrue(latch.await(10, TimeUnit.SECONDS));
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /// It would wait for itself.
  @Test
  void aCallDoesNotEndWhatItCalls() {
    var life = new Lifetime();
    var calls = new Calls("net", life);
    var e =
        assertThrows(
            IllegalStateException.class,
            () ->
                calls.call(() -> {
                  calls.close();
                  return 1;
                }));
    assertTrue(e.getMessage().contains("this is one of them"), e.getMessage());
    assertEquals(2, calls.call(() -> 2));
    calls.close();
    assertThrows(IllegalStateException.class, () -> life.in(() -> Tensor.zeros(DType.FLOAT32, 1)));
  }
}
