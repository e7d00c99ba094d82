package fathom.run;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import fathom.Layer;
import fathom.Node;
import fathom.Scope;
import fathom.Shape;
import fathom.data.Data;
import fathom.data.DataSet;
import fathom.data.LabelledImages;
import fathom.data.Normalization;
import fathom.infer.ModelCard;
import fathom.io.BadFileException;
import fathom.io.RegularFile;
import fathom.net.Architecture;
import fathom.net.ImageShape;
import fathom.nn.Init;
import fathom.train.Tuning;
import fathom.train.Weights;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/// The trained weights with which a run begins, and what becomes of them. A run that continues
/// needs the file no more: everything is in its checkpoint.
///
/// @param weights the file as the user named it; empty for a run that begins with random weights
/// @param fingerprint the SHA-256 digest of the file in hexadecimal digits
/// @param newHead whether the classifier is drawn anew, because the weights know other classes
/// @param mean what the weights say that images are normalised by, a number for each channel or for
///   each pixel and channel; empty if they say nothing, and the training images decide
/// @param std the standard deviations that go with `mean`
/// @param tuning which layers are trained, and at which part of the learning rate
public record FineTuning(
    String weights,
    String fingerprint,
    boolean newHead,
    List<Float> mean,
    List<Float> std,
    @JsonUnwrapped Tuning tuning) {
  /// No weights: the run begins with random ones, and all layers are trained alike.
  public static final FineTuning NONE =
      new FineTuning("", "", false, List.of(), List.of(), Tuning.NONE);

  /// The most names that a message shows.
  private static final int NAMED = 4;

  /// Throws `IllegalArgumentException` if layers are to be frozen or slower without weights, or if
  /// the numbers are no normalization.
  public FineTuning {
    mean = List.copyOf(mean);
    std = List.copyOf(std);
    if (weights.isEmpty() && !tuning.equals(Tuning.NONE)) {
      throw new IllegalArgumentException(
          "random weights are trained alike in all layers, but %s was asked for; give `weights`"
              .formatted(tuning));
    }
    if (!mean.isEmpty()) {
      var _ = Normalization.of(floats(mean), floats(std));
    }
  }

  /// Returns how the weights of `file` begin a training of `net` on `data`.
  ///
  /// The classifier is kept if the file names the classes of the data in their order, or names none
  /// and has as many. Everything else of the file has to fit.
  ///
  /// Throws [BadFileException], with all that differs, for weights of another net, and for a file
  /// that cannot be read; `IllegalArgumentException` if the data is no images or has other channels
  /// than the weights were trained on, or if there is no layer to freeze until.
  public static FineTuning of(Path file, Architecture net, Data data, Tuning tuning) {
    if (!(net instanceof Architecture.OfClasses of) || !(data instanceof DataSet images)) {
      throw new IllegalArgumentException(
          "weights are fine-tuned on the classes of images, but the model is %s and the data %s"
              .formatted(net.name(), data.name()));
    }
    ModelCard card = ModelCard.of(file);
    ImageShape shape = shape(images.train());
    ImageShape known = card.input();
    if (known != null && known.channels() != shape.channels()) {
      throw new IllegalArgumentException(
          "%s was trained on images of %s, but those of %s are %s; the number of channels must be the same"
              .formatted(file, known, data.name(), shape));
    }
    try (var _ = Scope.open()) {
      Layer built = of.on(shape, data.classes().size()).build(Init.zeros());
      boolean newHead = fit(file, net, card, built, data.classes());
      tuning.check(built);
      Normalization normalization = card.normalization();
      return new FineTuning(
          file.toString(),
          RegularFile.sha256(file),
          newHead,
          normalization == null ? List.of() : list(normalization.mean()),
          normalization == null ? List.of() : list(normalization.standardDeviation()),
          tuning);
    }
  }

  private static ImageShape shape(LabelledImages images) {
    return new ImageShape(images.channels(), images.height(), images.width());
  }

  /// Compares the net with the file, and returns whether the classifier is drawn anew.
  private static boolean fit(
      Path file, Architecture net, ModelCard card, Layer built, List<String> classes) {
    SequencedMap<String, Shape> stored = Weights.shapes(file);
    String head = Tuning.head(built) + ".";
    var wanted = new LinkedHashMap<String, Shape>();
    built.state().forEach((path, param) -> wanted.put(path, param.value().shape()));
    List<String> known = card.classes();
    boolean sameCount =
        wanted.entrySet().stream()
            .filter(e -> e.getKey().startsWith(head))
            .allMatch(e -> Objects.equals(e.getValue(), stored.get(e.getKey())));
    boolean newHead = known == null ? !sameCount : !ClassMatch.same(known, classes);
    if (newHead) {
      wanted.keySet().removeIf(path -> path.startsWith(head));
      stored.keySet().removeIf(path -> path.startsWith(head));
    }
    List<String> misfits = misfits(wanted, stored);
    if (!misfits.isEmpty()) {
      throw new BadFileException(
          file,
          "the weights are not of %s, %s: %s. Name their net (MODEL) and its options"
              .formatted(net.name(), net.options(), String.join("; ", misfits)));
    }
    return newHead;
  }

  private static List<String> misfits(
      Map<String, Shape> wanted, SequencedMap<String, Shape> stored) {
    var missing = new ArrayList<String>();
    var misshaped = new ArrayList<String>();
    wanted.forEach((path, shape) -> {
      Shape found = stored.get(path);
      if (found == null) {
        missing.add(path);
      } else if (!found.equals(shape)) {
        misshaped.add("%s is %s and not %s".formatted(path, found, shape));
      }
    });
    List<String> unexpected =
        stored.keySet().stream().filter(name -> !wanted.containsKey(name)).toList();
    var misfits = new ArrayList<String>();
    add(misfits, "missing", missing);
    add(misfits, "of another shape", misshaped);
    add(misfits, "not of this net", unexpected);
    return misfits;
  }

  private static void add(List<String> misfits, String what, List<String> names) {
    if (!names.isEmpty()) {
      misfits.add(
          "%s %s: %s%s"
              .formatted(
                  names.size(),
                  what,
                  String.join(", ", names.subList(0, Math.min(NAMED, names.size()))),
                  names.size() > NAMED ? ", ..." : ""));
    }
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

  /// Fills a new net with the weights; the classifier stays as it was drawn if it is new.
  void fill(Node net) {
    String head = Tuning.head(net) + ".";
    Weights.read(Path.of(weights), net, path -> !(newHead && path.startsWith(head)));
  }
}
