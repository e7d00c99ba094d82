package fathom.data;

import fathom.RandomKey;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Iterator;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/// Decodes photos before they are asked for, in the announced order: the rest of a batch and all of
/// the next one. A prefetcher serves one thread.
///
/// A decoded photo is a function of the request. A photo that was not announced, or whose decoding
/// has not begun when it is needed, is decoded by the thread that asks for it, with the same
/// result.
final class Prefetcher {
  /// A request for a photo.
  record Wanted(int index, Augmentation how, RandomKey key) {}

  private record Begun(Wanted wanted, FutureTask<byte[]> work) {}

  private final Photos photos;
  private final Decoders decoders;
  private final ArrayDeque<Begun> begun = new ArrayDeque<>();
  private Iterator<Loader.Batch> rest = Collections.emptyIterator();
  private Loader.Batch batch = Loader.Batch.of(new int[0], new Rows(0, 0));
  private int next;
  private int most;

  Prefetcher(Photos photos, Decoders decoders) {
    this.photos = photos;
    this.decoders = decoders;
  }

  /// Replaces the earlier announcement. At most `most` photos wait to be used.
  void expect(Iterator<Loader.Batch> batches, int most) {
    begun.forEach(each -> each.work.cancel(false));
    begun.clear();
    this.rest = batches;
    this.batch = Loader.Batch.of(new int[0], new Rows(0, 0));
    this.next = 0;
    this.most = decoders.areNone() ? 0 : most;
    fill();
  }

  /// Begins to decode as many photos as there is room for: up to twice as many as a batch has.
  private void fill() {
    while (begun.size() < most && hasNext() && begun.size() < 2 * batch.rows().count()) {
      var wanted = new Wanted(batch.order()[next], batch.augmentation(), batch.key(next));
      next++;
      var work = new FutureTask<>(() -> photos.decode(wanted.index, wanted.how, wanted.key));
      begun.add(new Begun(wanted, work));
      decoders.soon(work);
    }
  }

  private boolean hasNext() {
    while (next >= batch.rows().to() && rest.hasNext()) {
      batch = rest.next();
      next = batch.rows().from();
    }
    return next < batch.rows().to();
  }

  /// Returns the requested photo as `C×H×W` bytes. Throws what decoding threw.
  byte[] take(Wanted wanted) {
    Begun first = begun.peek();
    if (first == null || !first.wanted.equals(wanted)) {
      return photos.decode(wanted.index, wanted.how, wanted.key);
    }
    begun.remove();
    fill();
    first.work.run(); // does nothing if another thread has begun it
    try {
      return first.work.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while an image was decoded", e);
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case RuntimeException failure -> throw failure;
        case Error failure -> throw failure;
        case null, default -> throw new IllegalStateException("an image was not decoded", e);
      }
    }
  }
}
