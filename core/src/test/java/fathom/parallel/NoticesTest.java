package fathom.parallel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import fathom.KeyStore;
import fathom.RandomKey;
import java.io.IOException;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class NoticesTest {
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private static KeyStore store() throws IOException {
    int port;
    try (var socket = new ServerSocket(0)) {
      port = socket.getLocalPort();
    }
    return KeyStore.host(port, TIMEOUT);
  }

  private static Notices notices(KeyStore store) {
    return new Notices(store, 1, 2, TIMEOUT, () -> 0);
  }

  /// Rank 0 says what it has found and fails right after, at any moment of the others' looks, which
  /// are 20 ms apart. So do processes that are given something else, and all of them have to say
  /// what it is.
  @Test
  void whatWasSaidBeforeAFailureIsHeard() throws Exception {
    KeyStore all = store();
    RandomKey moments = RandomKey.of(1, "moments");
    for (int i = 0; i < 200; i++) {
      KeyStore store = all.within("round" + i);
      Notices rank1 = notices(store);
      long nanos = (long) (25e6 * moments.uniform(i));
      Thread rank0 =
          Thread.ofPlatform()
              .start(() -> {
                try {
                  TimeUnit.NANOSECONDS.sleep(nanos);
                } catch (InterruptedException e) {
                  Thread.currentThread().interrupt();
                }
                store.set("found", "a difference");
                store.set("failed", "rank 0 failed");
              });
      assertEquals("a difference", rank1.await("found", 0), "round " + i);
      rank0.join();
      rank1.leave(false);
    }
  }

  @Test
  void whoFailsWithoutAWordIsNamed() throws Exception {
    KeyStore store = store();
    store.set("failed", "rank 0 failed at step 7: why");
    Notices rank1 = notices(store);
    var e = assertThrows(LostProcessException.class, () -> rank1.await("found", 0));
    assertEquals("rank 0 failed at step 7: why", e.getMessage());
    rank1.leave(false);
  }
}
