package fathom.serve;

import java.util.concurrent.CompletableFuture;

/// The places of one request in the queue of a model. What was not used is given back on closing.
final class Places implements AutoCloseable {
  private final ServedModel model;
  private final Request request;
  private int count = 1;

  private Places(ServedModel model, Request request) {
    this.model = model;
    this.request = request;
  }

  /// Takes one place in the newest version of a model. Throws [Reply.RefusedException] if there is
  /// no such model, or no place.
  static Places of(Models models, String name, Request request) {
    while (true) {
      ServedModel model = models.get(name);
      switch (model.admit(1)) {
        case ADMITTED -> {
          return new Places(model, request);
        }
        case FULL -> throw full(model);
        case RETIRED -> Thread.onSpinWait(); // its successor is there already
      }
    }
  }

  private static Reply.RefusedException full(ServedModel model) {
    return Reply.full(
        "the queue of model %s is full with %s images; try again"
            .formatted(model.name(), model.depth()));
  }

  ServedModel model() {
    return model;
  }

  Request request() {
    return request;
  }

  /// Takes as many places as the request has images, at least one. Throws [Reply.RefusedException]
  /// if there are not as many, now or ever.
  ///
  /// @param most the places that there are
  void take(int images, int most) {
    if (images > most) {
      throw Reply.tooLarge(
          "a request has at most %s images, which is what the queue holds, but this one has %s; send several"
              .formatted(most, images));
    }
    if (!model.admitMore(images - count)) {
      throw full(model);
    }
    count = images;
  }

  /// Puts images into the queue, one for each place; places beyond them are given back.
  CompletableFuture<Job.Predicted> predict(Job job) {
    model.release(count - job.count());
    count = 0;
    model.predict(job);
    return job.predicted();
  }

  @Override
  public void close() {
    if (count > 0) {
      model.release(count);
      count = 0;
    }
  }
}
