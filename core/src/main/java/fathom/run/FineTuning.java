package fathom.run;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import fathom.Layer;
import fathom.Node;
import fathom.Scope;
import fathom.Tensor;
import fathom.data.Data;
import fathom.data.DataSet;
import fathom.data.LabelledImages;
import fathom.data.Normalization;
import fathom.infer.ModelCard;
import fathom.infer.OpenWeights;
import fathom.io.BadFileException;
import fathom.io.RegularFile;
import fathom.net.Architecture;
import fathom.net.ImageShape;
import fathom.nn.Init;
import fathom.task.ImageClassification;
import fathom.task.Task;
import fathom.train.Tuning;
import fathom.train.Weights;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// The trained weights with which a run begins, and what becomes of them. A run that continues
/// needs the file no more: everything is in its checkpoint.
///
/// @param weights the file as the user named it; empty for a run that begins with random weights
/// @param fingerprint the SHA-256 digest of the file in hexadecimal digits
/// @param newHead whether the classifier is new, because the weights know other classes
/// @param fittedHead whether a new classifier begins as fits the training images best with the
///   other layers as they are; otherwise it is drawn. See [FittedHead]
/// @param headRows for each class of the data the row of the file's classifier that it takes, where
///   the file names the same classes in another order; empty if the order is the same or the
///   classifier new
/// @param mean what the weights say that images are normalised by, a number for each channel or for
///   each pixel and channel; empty if they say nothing, and the training images decide
/// @param std the standard deviations that go with `mean`
/// @param tuning which layers are trained, and at which part of the learning rate
public record FineTuning(
    String weights,
    String fingerprint,
    boolean newHead,
    boolean fittedHead,
    List<Integer> headRows,
    List<Float> mean,
    List<Float> std,
    @JsonUnwrapped Tuning tuning) {
  /// No weights: the run begins with random ones, and all layers are trained alike.
  public static final FineTuning NONE =
      new FineTuning("", "", false, false, List.of(), List.of(), List.of(), Tuning.NONE);

  /// Throws `IllegalArgumentException` if layers are to be frozen or slower without weights, or if
  /// the numbers are no normalization or the rows no permutation.
  public FineTuning {
    headRows = List.copyOf(headRows);
    mean = List.copyOf(mean);
    std = List.copyOf(std);
    if (weights.isEmpty() && !tuning.equals(Tuning.NONE)) {
      throw new IllegalArgumentException(
          "random weights are trained alike in all layers, but %s was asked for; give `weights`"
              .formatted(tuning));
    }
    List<Integer> places = IntStream.range(0, headRows.size()).boxed().toList();
    if (!headRows.stream().sorted().toList().equals(places) || (newHead && !places.isEmpty())) {
      throw new IllegalArgumentException(
          "the rows of a kept classifier are each given to one class, but `newHead` is %s and `headRows` %s"
              .formatted(newHead, headRows));
    }
    if (fittedHead && !newHead) {
      throw new IllegalArgumentException(
          "a classifier that is kept is not fitted, but `newHead` is false and `fittedHead` true");
    }
    if (!mean.isEmpty()) {
      var _ = Normalization.of(floats(mean), floats(std));
    }
  }

  /// Returns how the weights of `file` begin a training of `net` on `data`.
  ///
  /// The classifier is kept if the file names the classes of the data, with its rows in the data's
  /// order, or if it names none and has as many. Everything else of the file has to fit.
  ///
  /// Throws [BadFileException], with all that differs, for weights of another net, and for a file
  /// that cannot be read; `IllegalArgumentException` if the data is no images or has other channels
  /// than the weights were trained on, or if there is no layer to freeze until.
  public static FineTuning of(Path file, Architecture net, Data data, Tuning tuning) {
    try (var open = OpenWeights.open(file)) {
      return of(open, net, data, tuning);
    }
  }

  /// Does the same as [#of(Path, Architecture, Data, Tuning)] with a file that is open.
  public static FineTuning of(OpenWeights from, Architecture net, Data data, Tuning tuning) {
    if (!(net instanceof Architecture.OfClasses of) || !(data instanceof DataSet images)) {
      throw new IllegalArgumentException(
          "weights are fine-tuned on the classes of images, but the model is %s and the data %s"
              .formatted(net.name(), data.name()));
    }
    Path file = from.file();
    ModelCard card = from.card();
    ImageShape shape = shape(images.train());
    ImageShape known = card.input();
    if (known != null && known.channels() != shape.channels()) {
      throw new IllegalArgumentException(
          "%s was trained on images of %s, but those of %s are %s; the number of channels must be the same"
              .formatted(file, known, data.name(), shape));
    }
    try (var _ = Scope.open()) {
      Layer built = of.on(shape, data.classes().size()).build(Init.zeros());
      List<Integer> rows = headRows(from, built, data.classes());
      checkBackbone(from, built, rows == null);
      tuning.check(built);
      Normalization normalization = card.normalization();
      return new FineTuning(
          file.toString(),
          RegularFile.sha256(file),
          rows == null,
          false,
          rows == null || isSorted(rows) ? List.of() : rows,
          normalization == null ? List.of() : list(normalization.mean()),
          normalization == null ? List.of() : list(normalization.standardDeviation()),
          tuning);
    }
  }

  /// Returns the same weights, with images normalised by these numbers.
  public FineTuning normalizedBy(Normalization by) {
    return new FineTuning(
        weights,
        fingerprint,
        newHead,
        fittedHead,
        headRows,
        list(by.mean()),
        list(by.standardDeviation()),
        tuning);
  }

  /// Returns the same weights, with a new classifier fitted or drawn. A classifier that is kept
  /// stays as it is.
  public FineTuning fittingHead(boolean fitted) {
    return new FineTuning(
        weights, fingerprint, newHead, fitted && newHead, headRows, mean, std, tuning);
  }

  private static ImageShape shape(LabelledImages images) {
    return new ImageShape(images.channels(), images.height(), images.width());
  }

  /// Returns the row of the file's classifier for each class; null if it is drawn anew.
  private static @Nullable List<Integer> headRows(
      OpenWeights from, Layer built, List<String> classes) {
    String head = Tuning.head(built) + ".";
    List<String> known = from.card().classes();
    if (known != null) {
      return ClassMatch.rows(known, classes);
    }
    boolean has = Weights.has(from.tensors(), built, path -> path.startsWith(head));
    return has ? IntStream.range(0, classes.size()).boxed().toList() : null;
  }

  private static boolean isSorted(List<Integer> rows) {
    return rows.equals(rows.stream().sorted().toList());
  }

  private static void checkBackbone(OpenWeights from, Layer built, boolean newHead) {
    String head = Tuning.head(built) + ".";
    Weights.check(from.file(), from.tensors(), built, path -> !(newHead && path.startsWith(head)));
  }

  private static List<Float> list(float[] values) {
    var list = new ArrayList<Float>();
    for (float value : values) {
      list.add(value);
    }
    return list;
  }

  private static float[] floats(List<Float> values) {
    float[] floats = new float[values.size()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = values.get(i);
    }
    return floats;
  }

  /// Returns whether the run begins with weights.
  @JsonIgnore
  public boolean isGiven() {
    return !weights.isEmpty();
  }

  /// Returns the normalization that the weights state; null if they state none.
  @Nullable Normalization normalization() {
    return mean.isEmpty() ? null : Normalization.of(floats(mean), floats(std));
  }

  /// Throws [BadFileException] unless the file is still what it was when the run was created.
  void checkFile() {
    Path file = Path.of(weights);
    String now = RegularFile.sha256(file);
    if (!now.equals(fingerprint)) {
      throw new BadFileException(
          file,
          "the run begins with weights of the SHA-256 %s, but the file has %s now; put the weights of the run there, or start another run"
              .formatted(fingerprint, now));
    }
  }

  /// Fills a new net with the weights. A new classifier is fitted to the images of the task, or
  /// stays as it was drawn.
  ///
  /// @param fitted the same one for all nets of a training
  void fill(Node net, Task<?> task, FittedHead fitted) {
    String head = Tuning.head(net) + ".";
    Weights.read(Path.of(weights), net, path -> !(newHead && path.startsWith(head)));
    if (fittedHead && net instanceof Layer layer && task instanceof ImageClassification images) {
      fitted.fill(layer, images);
    }
    if (!headRows.isEmpty()) {
      net.state()
          .forEach((path, param) -> {
            if (path.startsWith(head)) {
              permute(param.value());
            }
          });
    }
  }

  /// Gives each class its row of the classifier's weights, or its bias.
  private void permute(Tensor value) {
    try (var _ = Scope.open()) {
      value.copy_(
          Tensor.concatenated(
              0, headRows.stream().map(row -> value.narrow(0, row, row + 1)).toList()));
    }
  }
}
