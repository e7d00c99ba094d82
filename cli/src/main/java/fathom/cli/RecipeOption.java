package fathom.cli;

import fathom.data.Data;
import fathom.net.Architecture;
import fathom.run.FineTuning;
import fathom.run.PublishedRecipe;
import fathom.run.PublishedRecipe.Difference;
import fathom.run.Recipe;
import fathom.run.Run;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The option for the recipe of a training, by its name.
final class RecipeOption {
  /// The names of recipes.
  enum Name {
    USUAL,
    FINETUNE,
    FAST,
    HE2015_CIFAR,
    HE2015_IMAGENET
  }

  @Rare
  @Option(
      names = "--recipe",
      paramLabel = "usual|finetune|fast|he2015-cifar|he2015-imagenet",
      description =
          "A short training, one from weights, one for time to accuracy, or the residual paper's. "
              + "What is otherwise than the source states is listed. Default: usual, or finetune "
              + "with --weights.")
  private @Nullable Name recipe;

  /// Returns the recipe that the user names, or else the usual one.
  Recipe of(Architecture net, Data data, FineTuning from, long seed, int workers, Output output) {
    if (recipe == Name.FINETUNE && !from.isGiven()) {
      throw output.refused("the recipe finetune is for trained weights; give --weights");
    }
    return switch (name(from)) {
      case FINETUNE -> Recipe.finetune(net, data, from, seed, workers);
      case USUAL -> Recipe.usual(net, data, seed, workers).with(from);
      case FAST -> PublishedRecipe.FAST.recipe(net, data, seed, workers).with(from);
      case HE2015_CIFAR -> PublishedRecipe.HE2015_CIFAR.recipe(net, data, seed, workers).with(from);
      case HE2015_IMAGENET ->
          PublishedRecipe.HE2015_IMAGENET.recipe(net, data, seed, workers).with(from);
    };
  }

  private Name name(FineTuning from) {
    return recipe != null ? recipe : from.isGiven() ? Name.FINETUNE : Name.USUAL;
  }

  /// Returns the epochs for which the recipe warms up; null if it counts steps, or has no warm-up.
  @Nullable Double warmUp(FineTuning from) {
    return name(from) == Name.FINETUNE ? Recipe.FINETUNE_WARM_UP : null;
  }

  /// Says where a run deviates from the source of its recipe.
  static void tell(Run run, Output output) {
    PublishedRecipe by = run.recipe().published();
    if (by == PublishedRecipe.NONE) {
      return;
    }
    List<Difference> differences = PublishedRecipe.differences(run);
    output.remark(
        "fathom: %s is %s; %s"
            .formatted(
                by,
                by.source(),
                differences.isEmpty() ? "this run does as it states" : "this run deviates:"));
    differences.forEach(each -> output.remark("  " + by.sentence(each)));
  }
}
