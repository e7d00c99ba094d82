package fathom.serve;

import fathom.Scope;
import fathom.Tensor;
import fathom.data.Loader;
import fathom.infer.ImageClassifier;
import fathom.parallel.Cores;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/// One version of a model, with the queue of its images and the threads that predict them, one for
/// each core.
///
/// A request is admitted with its images or refused; admitted ones count until they are released. A
/// batch is predicted by one core, since another one has another batch, or decodes; only if nothing
/// else was admitted, and the net is not small, all cores share in it. A version that is retired
/// admits nothing, predicts what it has admitted, and is closed.
final class ServedModel {
  private static final int CORES = Runtime.getRuntime().availableProcessors();

  /// The least time of one core for an image with which all cores share in it. For a shorter one
  /// they would wait for each other half of the time, and others for them.
  private static final long SHARED_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

  private final String name;
  private final int version;
  private final ImageClassifier classifier;
  private final Loader loader;
  private final Limits limits;
  private final IntConsumer batches;
  private final BatchQueue queue;
  private final List<Thread> threads;
  private boolean shares;

  /// @param batches is told how many images each batch has
  ServedModel(
      String name, int version, ImageClassifier classifier, Limits limits, IntConsumer batches) {
    this.name = name;
    this.version = version;
    this.classifier = classifier;
    this.limits = limits;
    this.batches = batches;
    this.loader = new Loader(classifier.resizing().none(), classifier.normalization());
    this.queue = new BatchQueue(limits.batch(), limits.queue(), CORES);
    this.threads =
        IntStream.range(0, CORES)
            .mapToObj(i ->
                Thread.ofPlatform()
                    .name("fathom-serve-" + name + "-" + i)
                    .daemon()
                    .unstarted(this::work))
            .toList();
  }

  /// Warms up and starts. The first version of a model finds a JVM that has compiled little, the
  /// later ones find their code compiled, and requests that need the cores.
  void start() {
    var warmUp = new WarmUp(classifier, limits.batch());
    if (version == 1) {
      warmUp.untilSteady();
    } else {
      warmUp.once();
    }
    shares = warmUp.imageNanos() > SHARED_NANOS;
    threads.forEach(Thread::start);
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
  int depth() {
    return queue.depth();
  }

  /// Asks for places for the images of a request, which are about to be decoded.
  BatchQueue.Admission admit(int images) {
    return queue.admit(images);
  }

  /// Asks for more places for a request that was admitted, which may be of a version that was
  /// retired meanwhile.
  boolean admitMore(int images) {
    return queue.admitMore(images);
  }

  /// Gives places back whose images nobody predicts.
  void release(int images) {
    queue.release(images);
  }

  /// Adds images that were admitted and are decoded.
  void predict(Job job) {
    queue.add(job);
  }

  /// Admits nothing more, waits until all that was admitted is answered, and frees the net.
  void retire() throws InterruptedException {
    queue.retire();
    threads.forEach(Thread::interrupt);
    for (Thread thread : threads) {
      thread.join();
    }
    classifier.close();
  }

  private void work() {
    try {
      while (true) {
        run(queue.take());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the version is retired
    }
  }

  private void run(List<Job> batch) {
    List<Job> wanted = batch.stream().filter(job -> !job.request().isOver()).toList();
    int images = batch.stream().mapToInt(Job::count).sum();
    Runnable answer;
    try {
      answer = wanted.isEmpty() ? () -> {} : predict(wanted, shares && queue.depth() == images);
    } catch (RuntimeException | Error e) { // whatever it is, the thread serves others
      answer = () -> wanted.forEach(job -> job.predicted().completeExceptionally(e));
    }
    // Whoever has an answer finds its places free.
    queue.end(images);
    answer.run();
    batch.forEach(job -> job.predicted().cancel(false)); // those that nobody waits for
  }

  private Runnable predict(List<Job> jobs, boolean byAllCores) {
    if (byAllCores) {
      return predict(jobs);
    }
    var answer = new AtomicReference<Runnable>();
    Cores.alone(() -> answer.set(predict(jobs)));
    return Objects.requireNonNull(answer.get());
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
