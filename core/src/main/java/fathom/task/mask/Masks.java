package fathom.task.mask;

import fathom.Layer;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.data.Epochs;
import fathom.data.MaskImage;
import fathom.data.MaskSet;
import fathom.data.Rows;
import fathom.loss.PixelLoss;
import fathom.task.EpochSession;
import fathom.task.Figures;
import fathom.task.LayerTask;
import fathom.task.Objective;
import fathom.task.Section;
import fathom.task.Session;
import fathom.task.Setting;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/// The task to predict a label for every pixel of an image.
///
/// In every epoch training sees one square crop of each image, at a new random place each time and
/// mirrored with probability ½; evaluations see whole images. The results are the loss, the share
/// of wrong pixels ("error"), the mean intersection over union ("iou"), and precision, recall and F
/// of the foreground within a tolerance, all but the loss in percent. The best epoch is the one
/// with the largest F; among equal F the smallest loss decides. The constructor throws
/// `IllegalArgumentException` if `side` is no multiple of `multiple` or the loss is for another
/// number of classes.
///
/// @param data the images and masks
/// @param loss the loss of the scores of pixels
/// @param side the side in pixels of the squares that training sees, a multiple of `multiple`
/// @param multiple the number of which the net needs heights and widths to be multiples; see
///   [fathom.net.MaskNet#multiple()]
/// @param tolerance the distance in pixels at which foreground still counts as found; see
///   [MaskScore]
public record Masks(MaskSet data, PixelLoss loss, int side, int multiple, int tolerance)
    implements LayerTask {
  /// The default tolerance: the number of pixels by which a predicted outline may be beside the
  /// true one.
  public static final int TOLERANCE = 2;

  /// The names of the results besides the loss, all in percent.
  public static final String ERROR = "error";

  public static final String IOU = "iou";
  public static final String PRECISION = "precision";
  public static final String RECALL = "recall";
  public static final String F = "f";

  private static final String MEAN = "input.mean";
  private static final String STANDARD_DEVIATION = "input.deviation";
  private static final int SHOWN = 8;

  public Masks {
    if (side < 1 || multiple < 1 || side % multiple != 0) {
      throw new IllegalArgumentException(
          "the side of what training sees is a multiple of %s for this net, but is %s"
              .formatted(multiple, side));
    }
    if (loss.classes() != data.classes().size()) {
      throw new IllegalArgumentException(
          "the loss is for the %s classes of %s, but has weights for %s"
              .formatted(data.classes().size(), data.name(), loss.classes()));
    }
  }

  /// Returns a task with the loss of [#balanced], squares of 96×96 pixels, heights and widths that
  /// suit a net of up to five halvings (multiples of 32), and a tolerance of 2 pixels.
  public static Masks of(MaskSet data) {
    return new Masks(data, balanced(data), 96, 32, TOLERANCE);
  }

  /// Returns this task with another loss.
  public Masks by(PixelLoss loss) {
    return new Masks(data, loss, side, multiple, tolerance);
  }

  /// Returns this task with squares of another side.
  public Masks side(int side) {
    return new Masks(data, loss, side, multiple, tolerance);
  }

  /// Returns this task for a net that needs multiples of another number.
  public Masks multiple(int multiple) {
    return new Masks(data, loss, side, multiple, tolerance);
  }

  /// Returns this task with another tolerance, in pixels.
  public Masks tolerance(int tolerance) {
    return new Masks(data, loss, side, multiple, tolerance);
  }

  /// Returns the cross-entropy in which a class that has the share s of all pixels has the weight
  /// 1/√s. This is between equal weights, with which a rare class is never worth predicting, and
  /// 1/s, with which it is predicted far too often.
  public static PixelLoss balanced(MaskSet data) {
    double[] shares = data.shares();
    float[] weights = new float[shares.length];
    for (int k = 0; k < weights.length; k++) {
      weights[k] = (float) (1 / Math.sqrt(Math.max(shares[k], 1e-6)));
    }
    return PixelLoss.crossEntropy(weights);
  }

  @Override
  public boolean better(Figures now, Figures before) {
    return now.get(F) != before.get(F) ? now.get(F) > before.get(F) : now.loss() < before.loss();
  }

  @Override
  public Session<Layer> open(Setting setting) {
    return new Own(setting);
  }

  private final class Own implements EpochSession<Layer> {
    private final Setting setting;
    private final Epochs epochs;
    private final Pixels pixels = Pixels.of(data.train());
    private int epoch;
    private int[] order = {};
    private List<Shown> shown = List.of();

    Own(Setting setting) {
      this.setting = setting;
      this.epochs = setting.over(data.train().size());
    }

    @Override
    public Epochs epochs() {
      return epochs;
    }

    @Override
    public List<String> counted() {
      return List.of(ERROR);
    }

    @Override
    public void begin(int epoch, int step) {
      this.epoch = epoch;
      this.order = epochs.order(epoch);
    }

    @Override
    public Objective forward(Layer net, int step) {
      Rows own = setting.share(epochs.batch(step));
      var images = new ArrayList<MaskImage>();
      var crops = new ArrayList<Pixels.Crop>();
      for (int i = own.from(); i < own.to(); i++) {
        images.add(data.train().get(order[i]));
        crops.add(Pixels.Crop.drawn(images.getLast(), side, epochs.augment(epoch).at(order[i])));
      }
      return objective(net, images, crops);
    }

    @Override
    public Objective probe(Layer net) {
      List<MaskImage> images = data.train().subList(0, Math.min(4, data.train().size()));
      return objective(
          net,
          images,
          images.stream().map(i -> Pixels.Crop.drawn(i, side, RandomKey.of(0, "probe"))).toList());
    }

    private Objective objective(Layer net, List<MaskImage> images, List<Pixels.Crop> crops) {
      byte[] masks = Pixels.masks(images, crops, side, side);
      Traced scores = net.forward(pixels.images(images, crops, side, side));
      return Objective.of(scores, loss.of(scores.value(), masks), wrong(scores.value(), masks));
    }

    /// The sum over the images of the share of labelled pixels that are predicted as another class.
    private static double wrong(Tensor scores, byte[] masks) {
      if (masks.length == 0) {
        return 0; // there are fewer images than workers
      }
      int[] predicted;
      try (var _ = Scope.open()) {
        long k = scores.shape().size(1);
        predicted = scores.permute(0, 2, 3, 1).reshape(masks.length, k).argMax();
      }
      int images = (int) scores.shape().size(0);
      int plane = masks.length / images;
      double sum = 0;
      for (int i = 0; i < images; i++) {
        int labelled = 0;
        int wrong = 0;
        for (int p = i * plane; p < (i + 1) * plane; p++) {
          labelled += masks[p] == MaskImage.UNLABELLED ? 0 : 1;
          wrong += masks[p] == MaskImage.UNLABELLED || masks[p] == predicted[p] ? 0 : 1;
        }
        sum += (double) wrong / Math.max(1, labelled);
      }
      return sum;
    }

    @Override
    public @Nullable Figures evaluate(Layer net, Part part) {
      return switch (part) {
        case TRAINING -> figures(net, data.train());
        case VALIDATION -> data.validation() == null ? null : figures(net, data.validation());
        case TEST -> figures(net, data.test());
      };
    }

    private Figures figures(Layer net, List<MaskImage> images) {
      var score = new MaskScore(data.classes().size(), tolerance);
      double[] sums = new double[score.counts().length + 1];
      Rows own = setting.share(new Rows(0, images.size()));
      var seen = new ArrayList<Shown>();
      int i = own.from();
      for (; i < own.to() && (i == own.from() || setting.goesOn()); i++) {
        MaskImage image = images.get(i);
        try (var _ = Scope.open()) {
          Pixels.Seen made = pixels.predict(net, image, multiple);
          sums[0] += loss.sum(made.scores(), bordered(image));
          score.add(image.mask(), made.mask(), image.height(), image.width());
          if (i < SHOWN) {
            seen.add(new Shown(image, made.mask()));
          }
        }
      }
      System.arraycopy(score.counts(), 0, sums, 1, score.counts().length);
      setting.sum(sums, i < own.to());
      System.arraycopy(sums, 1, score.counts(), 0, score.counts().length);
      shown = images.equals(data.test()) ? seen : shown;
      return Figures.of(images.size(), sums[0] / images.size())
          .with(ERROR, score.error())
          .with(IOU, score.meanIou())
          .with(PRECISION, score.precision())
          .with(RECALL, score.recall())
          .with(F, score.f());
    }

    private byte[] bordered(MaskImage image) {
      Pixels.Crop whole = Pixels.Crop.whole(image.height(), image.width(), multiple);
      return Pixels.masks(List.of(image), List.of(whole), whole.height(), whole.width());
    }

    @Override
    public SequencedMap<String, Tensor> state() {
      var state = new LinkedHashMap<String, Tensor>();
      state.put(MEAN, Tensor.of(pixels.mean(), pixels.mean().length));
      state.put(
          STANDARD_DEVIATION,
          Tensor.of(pixels.standardDeviation(), pixels.standardDeviation().length));
      return state;
    }

    @Override
    public List<Section> sections() {
      return List.of(
          Section.ofImages(
              "Masks",
              "Test images, their true masks and what the net makes of them: each class has a colour, the background is dark, and pixels without a label are grey. The colours are %s."
                  .formatted(Palette.names(data.classes())),
              shown.stream()
                  .map(each ->
                      List.of(
                          new Section.Image(each.image.name(), Palette.image(each.image)),
                          new Section.Image("truth", Palette.mask(each.image, each.image.mask())),
                          new Section.Image(
                              "prediction", Palette.mask(each.image, each.predicted))))
                  .toList()));
    }
  }

  /// A test image and its predicted mask.
  private record Shown(MaskImage image, byte[] predicted) {}
}
