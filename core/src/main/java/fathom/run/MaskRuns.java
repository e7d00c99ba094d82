package fathom.run;

import fathom.Layer;
import fathom.data.Data;
import fathom.data.Decoders;
import fathom.data.ImageReadOptions;
import fathom.data.MaskSet;
import fathom.data.Normalization;
import fathom.io.BadFileException;
import fathom.net.Architecture;
import fathom.task.mask.Masks;
import fathom.train.Precision;
import fathom.train.Recording;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The kind of runs that learn a label for every pixel.
final class MaskRuns implements Kind {
  /// The usual side, in pixels, of the squares that training sees.
  private static final int SIDE = 96;

  @Override
  public String name() {
    return "masks";
  }

  @Override
  public boolean reads(String spec) {
    return MaskSet.isNamedBy(spec);
  }

  @Override
  public boolean learns(Data data) {
    return data instanceof MaskSet;
  }

  @Override
  public boolean learns(String model, int window) {
    return window == 0 && Architecture.masksNames().contains(model);
  }

  @Override
  public Architecture.OfMasks architecture(String model, Architecture.Options options) {
    return Architecture.masks(model, options);
  }

  @Override
  public ImageReadOptions reading(Architecture net, ImageReadOptions how, @Nullable Integer side) {
    return how.of(side == null || side == 0 ? SIDE : side, ImageReadOptions.Split.ALL_BY_NAME);
  }

  @Override
  public boolean hasSize(Data read) {
    return true;
  }

  private static MaskSet masks(Data data) {
    if (data instanceof MaskSet masks) {
      return masks;
    }
    throw new IllegalArgumentException("masks are needed, but %s has none".formatted(data.name()));
  }

  @Override
  public Recipe usual(Architecture net, Data data, long seed, int workers) {
    MaskSet masks = masks(data);
    if (!(net instanceof Architecture.OfMasks of)) {
      throw new IllegalArgumentException(
          "%s learns no masks, but %s has some".formatted(net.name(), data.name()));
    }
    List<?> validation = masks.validation();
    int side = Math.ceilDiv(SIDE, of.multiple()) * of.multiple();
    return Recipe.of(
        net,
        data.name(),
        new Sampling(30, 8, 0, validation == null ? 0 : validation.size()),
        Optimization.adam(1e-3, List.of(0.6, 0.85)),
        Preprocessing.photos(side, true),
        seed,
        workers);
  }

  @Override
  public Preprocessing sized(Preprocessing usual, int side) {
    return side == 0 ? usual : Preprocessing.photos(side, true);
  }

  @Override
  public void check(
      Architecture net,
      Sampling sampling,
      Optimization optimization,
      Preprocessing preprocessing,
      Execution execution,
      Recording recording) {
    preprocessing.variation().checkNone(net.name(), "masks");
    if (execution.recompute() > 0
        || execution.precision() != Precision.FP32
        || execution.shardStatistics()
        || optimization.smoothing() > 0) {
      throw new IllegalArgumentException(
          "`recompute`, `precision` bf16, `shardStatistics` and `smoothing` are for the classes of whole images, but %s learns masks; leave them out"
              .formatted(net.name()));
    }
    Parts.checkForClasses(net.name(), sampling, optimization);
    if (net instanceof Architecture.OfMasks of && preprocessing.size() % of.multiple() != 0) {
      throw new IllegalArgumentException(
          "training of %s sees squares whose side is a multiple of %s, but `size` is %s"
              .formatted(net.name(), of.multiple(), preprocessing.size()));
    }
  }

  @Override
  public void check(Recipe recipe, Data data) {
    MaskSet masks = masks(data);
    List<?> validation = masks.validation();
    int own = validation == null ? 0 : validation.size();
    if (recipe.validation() != own) {
      throw new IllegalArgumentException(
          "masks are validated with the images of a folder val, of which %s has %s, but `validation` is %s; leave it out"
              .formatted(masks.name(), own, recipe.validation()));
    }
    int trained = masks.train().size();
    if (recipe.batch() > trained) {
      throw new IllegalArgumentException(
          "a batch of %s images needs as many to train with, but there are %s; give a `batch` of at most %s, or more images"
              .formatted(recipe.batch(), trained, trained));
    }
  }

  @Override
  public Recipe fitted(Recipe recipe, Data data, boolean batch, boolean window) {
    int trained = masks(data).train().size();
    return batch ? recipe.withBatch(Math.min(recipe.batch(), trained)) : recipe;
  }

  @Override
  public Recipe goingOn(Recipe recipe, RunData before, Data data) {
    List<?> validation = masks(data).validation();
    return recipe.with(
        recipe
            .sampling()
            .withValidation(validation == null ? 0 : validation.size())
            .withBatch(Math.clamp(masks(data).train().size(), 1, recipe.batch())));
  }

  @Override
  public Amounts amounts(Recipe recipe, Data data) {
    MaskSet masks = masks(data);
    List<?> validation = masks.validation();
    int train = masks.train().size();
    int test = masks.test().size();
    return new Amounts(
        Math.ceilDiv(train, recipe.batch()),
        train,
        validation == null ? test : validation.size(),
        train + (validation == null ? 0 : test));
  }

  /// The normalization of images follows from the training images, which are the same when a run
  /// continues.
  @Override
  public Subject<Layer> subject(
      Run run, Data data, Decoders decoders, @Nullable Normalization known) {
    MaskSet masks = masks(data);
    if (!(run.recipe().architecture() instanceof Architecture.OfMasks net)) {
      throw new IllegalStateException("a run about masks has a net for them: " + run.folder());
    }
    Architecture.OfMasks of = net.on(run.input(), run.info().classes().size());
    return new Subject<>(
        of::build,
        new Masks(
            masks,
            Masks.balanced(masks),
            run.recipe().preprocessing().size(),
            of.multiple(),
            Masks.TOLERANCE));
  }

  @Override
  public void check(List<String> classes, List<Integer> input) {
    new ImageRuns().check(classes, input);
  }

  @Override
  public MaskSet open(Run run, String spec, ImageReadOptions how) {
    MaskSet masks = MaskSet.open(spec);
    if (masks.channels() != run.input().channels()) {
      throw new BadFileException(
          run.folder(),
          "the net was trained on images of %s channels, but those of %s have %s"
              .formatted(run.input().channels(), spec, masks.channels()));
    }
    return masks;
  }

  @Override
  public Wording wording() {
    return new MaskWording();
  }
}
