package fathom.run;

import fathom.DType;
import fathom.Layer;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import fathom.data.DataSet;
import fathom.data.LabelledImages;
import fathom.net.Architecture;
import fathom.net.ImageShape;
import fathom.nn.BatchNorm;
import fathom.nn.GroupNorm;
import fathom.nn.Init;
import fathom.nn.LayerNorm;
import fathom.nn.RmsNorm;
import org.jspecify.annotations.Nullable;

/// Finds norms that would be over a single element. Its mean is the element itself and its variance
/// 0, so such a norm gives the same for every image. A net with such a norm learns nothing,
/// although all numbers stay finite.
///
/// Batch norm is over the pixels of the images of a batch, or of a worker's share of it. This is a
/// single element if some batch has one image and the layer one pixel. For the other norms it
/// depends on the net alone.
final class SingleValues {
  private SingleValues() {}

  /// Throws `IllegalArgumentException` for the first such norm, with its path and a remedy.
  ///
  /// @param images the number of images of this data that are trained with
  static void check(Recipe recipe, DataSet data, int images) {
    if (recipe.architecture() instanceof Architecture.OfClasses of) {
      checkHidden(recipe);
      int fewest = fewest(recipe, images);
      boolean none = // decided without building the net
          switch (recipe.options().norm()) {
            case null -> true;
            case WEIGHT, NONE -> true;
            case BATCH -> fewest > 1;
            case LAYER, ANCHORED, POSITION, RMS, GROUP, STANDARDIZED, INSTANCE -> false;
          };
      if (!none) {
        check(recipe, of, data, fewest, images);
      }
    }
  }

  /// The inner norms of a recurrent net are over its units, and those of a transformer over its
  /// features. Throws `IllegalArgumentException` if there is only one.
  static void checkHidden(Recipe recipe) {
    String model = recipe.model();
    boolean normed = model.startsWith("ln-") || model.equals(Architecture.TRANSFORMER);
    Integer hidden = recipe.options().hidden();
    if (normed && hidden != null && hidden == 1) {
      throw new IllegalArgumentException(
          "the layer norms of %s are over its %s unit, and of a single value nothing is left: every input would give the same; give a larger `hidden`"
              .formatted(model, hidden));
    }
  }

  /// The fewest images that batch norm gets at once in an epoch of `images` images: those of the
  /// last batch, if it is smaller, and those of the smallest share if each worker has its own
  /// statistics.
  static int fewest(Recipe recipe, int images) {
    int batch = Math.min(recipe.batch(), images);
    int last = images % batch;
    int fewest = last == 0 ? batch : last;
    int shares = recipe.execution().shares();
    if (shares == 1) {
      return fewest;
    }
    int whole = Math.max(1, batch / shares); // a worker without images has no statistics
    return Math.min(whole, Math.max(1, fewest / shares));
  }

  private static void check(
      Recipe recipe, Architecture.OfClasses of, DataSet data, int fewest, int images) {
    LabelledImages train = data.train();
    try (var _ = Scope.open()) {
      Layer net =
          of.on(
                  new ImageShape(train.channels(), train.height(), train.width()),
                  data.classes().size())
              .build(Init.zeros());
      if (!mayHave(net, fewest)) {
        return;
      }
      Layer looked =
          Layer.map(net, (path, layer) -> new Looked(recipe, path, layer, fewest, images));
      looked.predict(
          Tensor.zeros(DType.FLOAT32, 1, train.channels(), train.height(), train.width())
              .channelsLast());
    }
  }

  /// Whether the net may have such a norm. For some norms it depends on the image shape, which only
  /// running the net shows.
  private static boolean mayHave(Layer layer, int fewest) {
    boolean itself =
        switch (layer) {
          case BatchNorm _ -> fewest == 1;
          case GroupNorm norm -> norm.gain().value().shape().size(0) == norm.groups();
          case LayerNorm norm -> norm.features().elements() == 1;
          case RmsNorm norm -> norm.features().elements() == 1;
          default -> false;
        };
    return itself || layer.children().stream().anyMatch(c -> mayHave(c.layer(), fewest));
  }

  /// A layer that checks its argument, the activations of one image.
  private record Looked(Recipe recipe, String path, Layer layer, int fewest, int images)
      implements Layer {
    @Override
    public Tensor predict(Tensor x) {
      String fix = fix(x.shape());
      if (fix != null) {
        throw new IllegalArgumentException(
            "the norm at %s (%s) would be over a single value: %s".formatted(path, layer, fix));
      }
      return layer.predict(x);
    }

    @Override
    public Traced forward(Tensor x) {
      return layer.forward(x);
    }

    /// The remedy, or null if this layer has more than one element.
    private @Nullable String fix(Shape x) {
      boolean image = x.rank() == 4;
      long pixels = image ? x.size(2) * x.size(3) : 1;
      return switch (layer) {
        case BatchNorm _ when fewest == 1 && pixels == 1 ->
            "%s has 1 image%s, so that its variance is 0 and nothing is learned; give %s%s"
                .formatted(
                    who(),
                    image ? " of 1×1 pixels there" : "",
                    recipe.execution().shardStatistics()
                        ? "a larger `batch`, fewer `workers` or no `shardStatistics`"
                        : images > 2 ? "another `batch`" : "more images",
                    image ? ", another `norm` or larger images (`size`)" : ", or another `norm`");
        case GroupNorm norm
            when norm.gain().value().shape().size(0) == norm.groups() && pixels == 1 ->
            "its groups have 1 channel%s, so that every image would give the same; give another `norm`%s"
                .formatted(
                    image ? " of 1×1 pixels there" : "", image ? " or larger images (`size`)" : "");
        case LayerNorm norm when norm.features().elements() == 1 -> oneFeature();
        case RmsNorm norm when norm.features().elements() == 1 -> oneFeature();
        default -> null;
      };
    }

    private String oneFeature() {
      return "the layer before it has 1 feature, of which nothing but a sign is left; give another"
          + " `norm` or a wider net";
    }

    private String who() {
      int batch = recipe.batch();
      return recipe.execution().shardStatistics()
          ? "some worker's share, of %s images in batches of %s over %s workers,"
              .formatted(images, batch, recipe.workers())
          : images > batch && images % batch == 1
              ? "the last batch of an epoch, of %s images in batches of %s,"
                  .formatted(images, batch)
              : "a batch";
    }
  }
}
