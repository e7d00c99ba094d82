package fathom.run;

import fathom.data.Data;
import fathom.data.DataSet;
import fathom.data.Text;

/// How much data the steps of a recipe need, and the batches and windows for data that has less.
final class Amounts {
  private Amounts() {}

  /// Throws `IllegalArgumentException` if there is less data than one step needs, or if a norm of
  /// the net would be over a single value.
  static void check(Recipe recipe, Data of) {
    switch (of) {
      case DataSet pictures -> {
        int trained = pictures.judgedBy(recipe.validation(), recipe.seed()).train().count();
        if (recipe.batch() > trained) {
          throw new IllegalArgumentException(
              "a batch of %s images needs as many to train with, but there are %s; give a --batch of at most %s, or more images"
                  .formatted(recipe.batch(), trained, trained));
        }
        SingleValues.check(recipe, pictures, trained);
      }
      case Text text -> {
        SingleValues.checkHidden(recipe);
        long least = (long) recipe.batch() * (recipe.window() + 1);
        if (text.train().length < least) {
          throw new IllegalArgumentException(
              "%s streams with windows of %s need a training text of %s characters, but %s has %s; give a longer text, or a smaller --batch or --window"
                  .formatted(
                      recipe.batch(), recipe.window(), least, text.name(), text.train().length));
        }
      }
    }
  }

  /// The largest batch up to the recipe's for which there is data; of text, the most streams in
  /// which its window is. Where batch norm would be over a single value in some batch, the largest
  /// with which it is not, if there is one.
  static int batch(Recipe recipe, Data data) {
    return switch (data) {
      case DataSet pictures -> {
        int images = trained(recipe, pictures);
        int most = Math.min(recipe.batch(), images);
        yield alone(recipe.withBatch(most), pictures, images)
            ? together(recipe, images, most)
            : most;
      }
      case Text text -> Math.clamp(text.train().length / (recipe.window() + 1L), 1, recipe.batch());
    };
  }

  /// How many images are trained with, also where there are not as many as are to be kept.
  static int trained(Recipe recipe, DataSet pictures) {
    int all = pictures.train().count();
    return pictures.validation() == null ? Math.max(1, all - recipe.validation()) : all;
  }

  private static boolean alone(Recipe recipe, DataSet data, int images) {
    try {
      SingleValues.check(recipe, data, images);
      return false;
    } catch (IllegalArgumentException e) {
      return true;
    }
  }

  /// The largest batch of at most `most` images with which no batch norm has one image alone;
  /// `most` if there is none.
  private static int together(Recipe recipe, int images, int most) {
    for (int batch = most; batch > 1; batch--) {
      if (SingleValues.fewest(recipe.withBatch(batch), images) > 1) {
        return batch;
      }
    }
    return most;
  }

  /// The largest window up to the recipe's that its streams have in this text.
  static int window(Recipe recipe, Text text) {
    return Math.clamp(text.train().length / (long) recipe.batch() - 1, 1, recipe.window());
  }
}
