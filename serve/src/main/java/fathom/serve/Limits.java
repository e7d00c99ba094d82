package fathom.serve;

import java.time.Duration;

/// What a server holds at a time, and how long it waits. Together they bound its memory.
///
/// @param batch the most images that a model predicts together
/// @param queue the most images that wait for a model or are in it; more are refused with 503
/// @param connections the most connections; beyond it idle ones are closed, or else the new one is
///   refused
/// @param body the most bytes of a request's body
/// @param bodies the most bytes of all bodies together that have not been decoded yet
/// @param receiving how long a client may take to send a request, from its first byte to its last
/// @param answering how long a whole request may wait for its answer
/// @param idle how long a connection stays open without a request
/// @param draining how long [ModelServer#close] waits for requests that were accepted
public record Limits(
    int batch,
    int queue,
    int connections,
    int body,
    long bodies,
    Duration receiving,
    Duration answering,
    Duration idle,
    Duration draining) {
  private static final int BATCH = 16;
  private static final int BATCHES = 4;

  /// Throws `IllegalArgumentException` for a limit that admits nothing, or a queue that does not
  /// have room for a batch.
  public Limits {
    positive("batch", batch);
    positive("connections", connections);
    positive("body", body);
    if (queue < batch) {
      throw new IllegalArgumentException(
          "a queue has room for a batch at least, but the queue is %s images and the batch %s"
              .formatted(queue, batch));
    }
    if (bodies < body) {
      throw new IllegalArgumentException(
          "all bodies together have room for one at least, but they have %s bytes and one has %s"
              .formatted(bodies, body));
    }
    positive("receiving", receiving.toMillis());
    positive("answering", answering.toMillis());
    positive("idle", idle.toMillis());
    positive("draining", draining.toMillis());
  }

  private static void positive(String what, long limit) {
    if (limit < 1) {
      throw new IllegalArgumentException(
          "a limit admits something, but `%s` is %s; give at least 1".formatted(what, limit));
    }
  }

  /// Returns the limits that a server has unless told otherwise: batches of 16 images, a queue of
  /// four batches, 512 connections, bodies of 32 MB, of which an eighth of the heap may be filled
  /// at a time, 10 seconds to send a request and 10 to be answered, and 25 seconds to drain.
  public static Limits usual() {
    int body = 32 << 20;
    return new Limits(
        BATCH,
        BATCHES * BATCH,
        512,
        body,
        Math.max(body, Runtime.getRuntime().maxMemory() / 8),
        Duration.ofSeconds(10),
        Duration.ofSeconds(10),
        Duration.ofSeconds(60),
        Duration.ofSeconds(25));
  }

  /// Returns these limits with batches of this many images and a queue of four such batches.
  public Limits withBatch(int images) {
    return withQueue(images, BATCHES * images);
  }

  /// Returns these limits with another batch and another queue, both in images.
  public Limits withQueue(int images, int waiting) {
    return new Limits(
        images, waiting, connections, body, bodies, receiving, answering, idle, draining);
  }

  /// Returns these limits with another number of connections.
  public Limits withConnections(int most) {
    return new Limits(batch, queue, most, body, bodies, receiving, answering, idle, draining);
  }

  /// Returns these limits with bodies of at most this many bytes each.
  public Limits withBody(int bytes) {
    return new Limits(
        batch,
        queue,
        connections,
        bytes,
        Math.max(bytes, bodies),
        receiving,
        answering,
        idle,
        draining);
  }

  /// Returns these limits with other times to send a request and to be answered.
  public Limits withTimes(Duration toSend, Duration toBeAnswered) {
    return new Limits(
        batch, queue, connections, body, bodies, toSend, toBeAnswered, idle, draining);
  }
}
