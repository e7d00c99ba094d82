package fathom.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.Tensor;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpVersion;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class BatchQueueTest {
  private static final int BATCH = 8;
  private static final int MOST = 20;

  private static final long JOINING = TimeUnit.MILLISECONDS.toNanos(5);

  private BatchQueue queue = new BatchQueue(BATCH, MOST, 2, JOINING);

  /// Adds images of one request, admitted and decoded.
  private void add(int images) {
    assertEquals(BatchQueue.Admission.ADMITTED, queue.admit(images));
    var head = new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.POST, "/");
    queue.add(
        new Job(
            new Request(head, Long.MAX_VALUE),
            images,
            _ -> Tensor.of(new float[images], images),
            new CompletableFuture<>()));
  }

  private List<Integer> taken() throws InterruptedException {
    return queue.take().stream().map(Job::count).toList();
  }

  @Test
  void whatWaitsIsTakenTogetherAsFarAsItFits() throws Exception {
    add(3);
    add(4);
    add(2);
    add(6);
    assertEquals(List.of(3, 4), taken());
    assertEquals(List.of(2, 6), taken());
  }

  /// A request may have more images than a batch.
  @Test
  void aJobLargerThanABatchIsTakenAlone() throws Exception {
    add(12);
    add(1);
    assertEquals(List.of(12), taken());
    assertEquals(List.of(1), taken());
  }

  /// With two cores one predicts at once. While it does, an image waits until the other one joins.
  @Test
  void whileOneCorePredictsAnotherJoinsAfterAWhile() throws Exception {
    long came = System.nanoTime();
    add(1);
    assertEquals(List.of(1), taken());
    add(1);
    assertEquals(List.of(1), taken());
    assertTrue(System.nanoTime() - came >= JOINING);
  }

  @Test
  void whileOneCorePredictsAnotherJoinsAtOnceForAQuarterOfABatch() throws Exception {
    queue = new BatchQueue(BATCH, MOST, 2, Long.MAX_VALUE / 2);
    add(1);
    assertEquals(List.of(1), taken());
    assertEquals(BatchQueue.Admission.ADMITTED, queue.admit(1)); // nor are those waited for
    add(BATCH / 4);
    assertEquals(List.of(BATCH / 4), taken());
  }

  /// Images that are just being decoded are waited for only for a moment: these never come.
  @Test
  void imagesThatDoNotComeAreNotWaitedFor() throws Exception {
    assertEquals(BatchQueue.Admission.ADMITTED, queue.admit(3));
    add(1);
    assertEquals(List.of(1), taken());
    queue.release(3);
    queue.end(1);
    assertEquals(0, queue.depth());
  }

  @Test
  void imagesCountUntilTheyHaveLeft() throws Exception {
    add(MOST - 1);
    assertEquals(BatchQueue.Admission.FULL, queue.admit(2));
    assertTrue(queue.admitMore(1));
    assertFalse(queue.admitMore(1));
    assertEquals(MOST, queue.depth());
    queue.release(1);
    assertEquals(List.of(MOST - 1), taken());
    assertEquals(MOST - 1, queue.depth());
    queue.end(MOST - 1);
    assertEquals(0, queue.depth());
    assertEquals(BatchQueue.Admission.ADMITTED, queue.admit(MOST));
  }

  @Test
  void whoRetiresAdmitsNothingAndWaitsForTheLast() throws Exception {
    add(2);
    var retired =
        CompletableFuture.runAsync(() -> {
          try {
            queue.retire();
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
        });
    while (queue.admit(1) != BatchQueue.Admission.RETIRED) {
      queue.release(1);
    }
    assertEquals(List.of(2), taken());
    assertFalse(retired.isDone());
    queue.end(2);
    retired.get(30, TimeUnit.SECONDS);
  }

  @Test
  void whoWaitsForAJobCanBeInterrupted() {
    var thread = new CompletableFuture<Thread>();
    CompletableFuture<List<Integer>> waiting =
        CompletableFuture.supplyAsync(() -> {
          thread.complete(Thread.currentThread());
          try {
            return taken();
          } catch (InterruptedException e) {
            return List.of();
          }
        });
    thread.join().interrupt();
    assertEquals(List.of(), waiting.orTimeout(30, TimeUnit.SECONDS).join());
  }
}
