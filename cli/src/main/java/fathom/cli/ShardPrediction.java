package fathom.cli;

import com.fasterxml.jackson.annotation.JsonInclude;
import fathom.data.Images;
import fathom.infer.Classification;
import fathom.infer.ImageClassifier;
import fathom.io.BadFileException;
import fathom.io.HomeFolder;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/// Predicts the images of a shard, each as a line of [AnswerLines]. Two groups of images are in
/// memory at a time, one that is decoded and one that the net has, whatever the number of images.
final class ShardPrediction {
  private static final int TOLD = 5;
  private static final long REMARK_EVERY = 100L * ImageClassifier.BATCH;

  private final ImageClassifier classifier;
  private final AnswerLines lines;
  private final Shard shard;
  private final int top;
  private final Output output;

  private final List<Named> group = new ArrayList<>();
  private @Nullable CompletableFuture<List<Decoded>> decoding;
  private long position;
  private long own;
  private long told;

  /// A line of the file. Either `top` or `error` is there.
  ///
  /// @param index the position among the files of all shards, counted from 0
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record Line(
      long index,
      String file,
      @Nullable List<PredictCommand.ClassProbability> top,
      @Nullable String error) {}

  private record Named(long position, String name) {}

  private record Decoded(Named of, @Nullable Images pixels, @Nullable String error) {}

  ShardPrediction(
      ImageClassifier classifier, AnswerLines lines, Shard shard, int top, Output output) {
    this.classifier = classifier;
    this.lines = lines;
    this.shard = shard;
    this.top = top;
    this.output = output;
  }

  /// Predicts those of `names` that belong to the shard and have no line yet, and returns the
  /// number of lines.
  long of(ImageNames names) {
    names.each(this::next, notice -> output.remark("fathom: " + notice));
    lines.checkAllRead();
    decode();
    answer();
    lines.end(own);
    return own;
  }

  private void next(String name) {
    long at = position++;
    if (!shard.has(at)) {
      return;
    }
    if (own++ < lines.kept()) {
      lines.isAbout(name);
      return;
    }
    group.add(new Named(at, name));
    if (group.size() == ImageClassifier.BATCH) {
      decode();
    }
  }

  /// Lets other threads decode the group, and meanwhile answers the one before.
  private void decode() {
    List<Named> names = List.copyOf(group);
    group.clear();
    CompletableFuture<List<Decoded>> before = decoding;
    decoding =
        CompletableFuture.supplyAsync(() -> names.parallelStream().map(this::decoded).toList());
    answer(before);
  }

  private void answer() {
    CompletableFuture<List<Decoded>> last = decoding;
    decoding = null;
    answer(last);
  }

  private void answer(@Nullable CompletableFuture<List<Decoded>> decoded) {
    List<Decoded> all = decoded == null ? List.of() : joined(decoded);
    if (all.isEmpty()) {
      return;
    }
    List<Classification> shown =
        classifier.classify(
            Images.joined(
                all.stream()
                    .<Images>mapMulti((each, next) -> {
                      if (each.pixels != null) {
                        next.accept(each.pixels);
                      }
                    })
                    .toList()));
    var written = new ArrayList<Line>();
    int seen = 0;
    for (Decoded each : all) {
      written.add(
          each.pixels == null
              ? new Line(each.of.position, each.of.name, null, each.error)
              : new Line(each.of.position, each.of.name, top(shown.get(seen++)), null));
      if (each.pixels == null && told++ < TOLD) {
        output.remark("fathom: no prediction: " + each.error);
      }
    }
    lines.append(written, all.size() - seen);
    long done = all.getLast().of.position / shard.count() + 1;
    if (done % REMARK_EVERY == 0) {
      output.remark("fathom: %s files done".formatted(Count.exact(done)));
    }
  }

  private static List<Decoded> joined(CompletableFuture<List<Decoded>> decoded) {
    try {
      return decoded.join();
    } catch (CompletionException e) {
      switch (e.getCause()) {
        case RuntimeException failure -> throw failure;
        case Error failure -> throw failure;
        case null, default -> throw e;
      }
    }
  }

  private Decoded decoded(Named named) {
    try {
      Path file = HomeFolder.path(named.name);
      return new Decoded(named, classifier.resizing().of(file), null);
    } catch (BadFileException e) {
      return new Decoded(named, null, e.getMessage());
    } catch (InvalidPathException e) {
      return new Decoded(named, null, "'%s' is no path on this system".formatted(named.name));
    }
  }

  private List<PredictCommand.ClassProbability> top(Classification shown) {
    return shown.top(top).stream()
        .map(each -> new PredictCommand.ClassProbability(each.name(), each.probability()))
        .toList();
  }
}
