package fathom.serve;

import fathom.Scope;
import fathom.Tensor;
import fathom.data.Images;
import fathom.data.Loader;
import fathom.data.Resizing;
import fathom.infer.ImageClassifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/// One version of a model, with the queue of its images and the thread that predicts them.
///
/// A request is admitted with its images or refused; admitted ones count until they are released.
/// The thread takes what waits, up to a batch. Only if images of admitted requests are still being
/// decoded does it wait for them, for at most two milliseconds. A version that is retired admits
/// nothing, predicts what it has admitted, and is closed.
final class ServedModel {
  /// How long a batch waits for images that are being decoded.
  private static final long PATIENCE_NANOS = 2_000_000;

  /// What became of a request for places.
  enum Admission {
    ADMITTED,
    FULL,
    RETIRED
  }

  private final String name;
  private final int version;
  private final ImageClassifier classifier;
  private final Loader loader;
  private final Limits limits;
  private final IntConsumer batches;
  private final LinkedBlockingQueue<Job> waiting = new LinkedBlockingQueue<>();
  private final Thread thread;
  private int admitted;
  private volatile int coming;
  private boolean retired;

  /// @param batches is told how many images each batch has
  ServedModel(
      String name, int version, ImageClassifier classifier, Limits limits, IntConsumer batches) {
    this.name = name;
    this.version = version;
    this.classifier = classifier;
    this.limits = limits;
    this.batches = batches;
    this.loader = new Loader(classifier.resizing().none(), classifier.normalization());
    this.thread = Thread.ofPlatform().name("fathom-serve-" + name).daemon().unstarted(this::work);
  }

  /// Predicts once, so that what is packed at the first call is there, and starts.
  void start() {
    Resizing to = classifier.resizing();
    for (int count : new int[] {1, limits.batch()}) {
      byte[] pixels = new byte[count * to.channels() * to.height() * to.width()];
      var _ =
          classifier.probabilities(
              new Images(to.channels(), to.height(), to.width(), pixels, new int[count]));
    }
    thread.start();
  }

  String name() {
    return name;
  }

  int version() {
    return version;
  }

  ImageClassifier classifier() {
    return classifier;
  }

  /// Returns the number of images that were admitted and are not answered.
  synchronized int depth() {
    return admitted;
  }

  /// Asks for places for the images of a request, which are about to be decoded.
  synchronized Admission admit(int images) {
    if (retired) {
      return Admission.RETIRED;
    }
    if (admitted + images > limits.queue()) {
      return Admission.FULL;
    }
    admitted += images;
    coming += images;
    return Admission.ADMITTED;
  }

  /// Asks for more places for a request that was admitted, which may be of a version that was
  /// retired meanwhile.
  synchronized boolean admitMore(int images) {
    if (admitted + images > limits.queue()) {
      return false;
    }
    admitted += images;
    coming += images;
    return true;
  }

  /// Gives places back whose images nobody predicts.
  synchronized void release(int images) {
    coming -= images;
    left(images);
  }

  private synchronized void left(int images) {
    admitted -= images;
    notifyAll();
  }

  /// Adds images that were admitted and are decoded.
  void predict(Job job) {
    synchronized (this) {
      coming -= job.count();
    }
    waiting.add(job);
  }

  /// Admits nothing more, waits until all that was admitted is answered, and frees the net.
  void retire() throws InterruptedException {
    synchronized (this) {
      retired = true;
      while (admitted > 0) {
        wait();
      }
    }
    thread.interrupt();
    thread.join();
    classifier.close();
  }

  private void work() {
    var batch = new ArrayList<Job>();
    @Nullable Job kept = null;
    try {
      while (true) {
        Job first = kept == null ? waiting.take() : kept;
        kept = gather(first, batch);
        run(batch);
        batch.clear();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the version is retired
    }
  }

  /// Fills a batch with what waits, and returns the job that did not fit into it any more.
  private @Nullable Job gather(Job first, List<Job> batch) throws InterruptedException {
    batch.add(first);
    int images = first.count();
    long end = System.nanoTime() + PATIENCE_NANOS;
    while (images < limits.batch()) {
      Job next = waiting.poll();
      if (next == null && coming > 0) {
        next = waiting.poll(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS);
      }
      if (next == null) {
        return null;
      }
      if (images + next.count() > limits.batch()) {
        return next;
      }
      batch.add(next);
      images += next.count();
    }
    return null;
  }

  private void run(List<Job> batch) {
    List<Job> wanted = batch.stream().filter(job -> !job.request().isOver()).toList();
    Runnable answer;
    try {
      answer = wanted.isEmpty() ? () -> {} : predict(wanted);
    } catch (RuntimeException | Error e) { // whatever it is, the thread serves others
      answer = () -> wanted.forEach(job -> job.predicted().completeExceptionally(e));
    }
    // Whoever has an answer finds its places free.
    left(batch.stream().mapToInt(Job::count).sum());
    answer.run();
    batch.forEach(job -> job.predicted().cancel(false)); // those that nobody waits for
  }

  /// Predicts the images of these jobs together, and returns what tells them.
  private Runnable predict(List<Job> jobs) {
    int classes = classifier.classes().size();
    double[] logits;
    double[] probabilities;
    try (var _ = Scope.open()) {
      List<Tensor> parts = jobs.stream().map(job -> job.tensor().apply(loader)).toList();
      Tensor x = parts.size() == 1 ? parts.getFirst() : Tensor.concatenated(0, parts);
      Tensor y = classifier.net().predict(x);
      logits = y.toDoubles();
      probabilities = y.logSoftmax(1).exp().toDoubles();
    }
    batches.accept(logits.length / classes);
    return () -> {
      int at = 0;
      for (Job job : jobs) {
        int end = at + job.count() * classes;
        job.predicted()
            .complete(
                new Job.Predicted(
                    classes,
                    Arrays.copyOfRange(logits, at, end),
                    Arrays.copyOfRange(probabilities, at, end)));
        at = end;
      }
    };
  }
}
