package fathom.serve;

import com.fasterxml.jackson.annotation.JsonProperty;
import fathom.DeviceException;
import fathom.data.Images;
import fathom.infer.ImageClassifier;
import fathom.io.BadFileException;
import fathom.io.Shown;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;

/// Answers for files of images what `fathom predict --json` does. A file alone that is no image is
/// refused with the message of that command; among several it is skipped with it.
final class Classify {
  private static final int TOP = 3;

  /// What the library calls an image that has no path.
  private static final String IN_MEMORY = "(image in memory)";

  /// The answer, with the keys of `fathom predict --json`.
  record Answer(String model, List<Prediction> predictions, List<Skipped> skipped) {}

  record Prediction(String file, List<ClassProbability> top) {}

  record ClassProbability(@JsonProperty("class") String name, double probability) {}

  record Skipped(String file, String why) {}

  private Classify() {}

  /// Returns the number of classes that are asked for. Throws [Reply.RefusedException] for none.
  static int top(Request request) {
    String given = Objects.requireNonNullElse(request.parameter("top"), "" + TOP);
    try {
      int top = Integer.parseInt(given);
      if (top > 0) {
        return top;
      }
    } catch (NumberFormatException e) {
      // refused as a number below 1 is
    }
    throw Reply.bad("`top` names at least 1 class, but is " + Shown.name(given));
  }

  static CompletableFuture<Reply> answer(Places places, Limits limits) {
    int top = top(places.request());
    List<Upload> files = Upload.all(places.request(), limits.queue());
    places.take(files.size(), limits.queue());
    ImageClassifier classifier = places.model().classifier();
    var read = new ArrayList<String>();
    var images = new ArrayList<Images>();
    var skipped = new ArrayList<Skipped>();
    for (Upload file : files) {
      if (places.request().isOver()) {
        return CompletableFuture.failedFuture(new CancellationException());
      }
      try {
        images.add(classifier.resizing().of(file.content()));
        read.add(file.name());
      } catch (BadFileException e) {
        skipped.add(new Skipped(file.name(), said(file, e)));
      } catch (DeviceException e) {
        throw Reply.tooLarge(said(file, e));
      }
    }
    if (images.isEmpty()) {
      throw Reply.bad(skipped.getFirst().why);
    }
    return places
        .predict(Job.of(places.request(), Images.joined(images)))
        .thenApply(predicted -> {
          var predictions = new ArrayList<Prediction>();
          for (int i = 0; i < read.size(); i++) {
            predictions.add(new Prediction(read.get(i), best(predicted, i, classifier, top)));
          }
          return Reply.json(
              new Answer(String.valueOf(classifier.card().model()), predictions, skipped));
        });
  }

  private static String said(Upload file, RuntimeException e) {
    return Shown.message(String.valueOf(e.getMessage()).replace(IN_MEMORY, file.name()));
  }

  /// Returns the likeliest classes of image i; of equals the one that comes first in the net.
  private static List<ClassProbability> best(
      Job.Predicted predicted, int i, ImageClassifier classifier, int top) {
    int from = i * predicted.classes();
    return IntStream.range(0, predicted.classes())
        .boxed()
        .sorted(Comparator.comparingDouble(c -> -predicted.probabilities()[from + c]))
        .limit(top)
        .map(c ->
            new ClassProbability(classifier.classes().get(c), predicted.probabilities()[from + c]))
        .toList();
  }
}
