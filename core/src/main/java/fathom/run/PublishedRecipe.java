package fathom.run;

import fathom.data.Data;
import fathom.data.DataSet;
import fathom.net.Architecture;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/// A recipe with a name, as its source states it. It is a table of statements; from each of them
/// follow a setting of the training and the words for what a run has in its place. So a run can say
/// where it deviates from the source, whatever the reason is: an option beside the recipe, other
/// data than the source's, or what Fathom does otherwise.
public enum PublishedRecipe {
  /// No published recipe; what a run does was chosen in other ways.
  NONE("", "", "all nets"),

  /// The residual paper's recipe for CIFAR-10.
  HE2015_CIFAR(
      "the paper",
      "He, Zhang, Ren and Sun 2015, arXiv 1512.03385, section 4.2",
      "the paper's nets for CIFAR-10, resnetN, plainN and preresnetN for N = 6n+2"),

  /// The residual paper's recipe for ImageNet.
  HE2015_IMAGENET(
      "the paper",
      "He, Zhang, Ren and Sun 2015, arXiv 1512.03385, section 3.4",
      "the paper's nets for ImageNet, resnet18 to resnet152, plain18 and plain34"),

  /// A recipe of Fathom's own, for time to accuracy on a few cores: what [FastRecipe] says.
  FAST("the recipe", "Fathom's own, for time to accuracy", "convolutional nets");

  /// A statement of a source.
  ///
  /// @param about what it is about
  /// @param stated what the source states for a run, which may depend on its net
  /// @param setting sets what is stated
  /// @param here what a run has, in the same words if it is the same
  record Statement(
      String about,
      Function<Run.Info, String> stated,
      Setting setting,
      Function<Run.Info, String> here) {
    /// Sets what a source states in a recipe, as far as that is possible with this data.
    @FunctionalInterface
    interface Setting {
      /// What is so anyway, or is not for a recipe to decide.
      Setting ANYWAY = (recipe, data) -> recipe;

      Recipe of(Recipe recipe, DataSet data);
    }

    /// A statement that is the same for all nets.
    Statement(String about, String stated, Setting setting, Function<Run.Info, String> here) {
      this(about, info -> stated, setting, here);
    }

    boolean holds(Run.Info info) {
      return stated.apply(info).equals(here.apply(info));
    }
  }

  /// A difference between a run and the source of its recipe.
  ///
  /// @param about what it is about, such as "batch"
  /// @param stated what the source states
  /// @param here what the run has
  public record Difference(String about, String stated, String here) {}

  private final String who;
  private final String source;
  private final String family;

  PublishedRecipe(String who, String source, String family) {
    this.who = who;
    this.source = source;
    this.family = family;
  }

  /// Returns what states the recipe, as the subject of a sentence.
  public String who() {
    return who;
  }

  /// Returns where the recipe was published, with the section; empty for none.
  public String source() {
    return source;
  }

  /// Returns the table of what the source states, in an order in which it can be set.
  List<Statement> statements() {
    return switch (this) {
      case NONE -> List.of();
      case HE2015_CIFAR -> He2015.onCifar();
      case HE2015_IMAGENET -> He2015.onImageNet();
      case FAST -> FastRecipe.statements();
    };
  }

  private boolean isFor(Architecture net) {
    return switch (this) {
      case NONE -> true;
      case HE2015_CIFAR -> He2015.isForCifar(net);
      case HE2015_IMAGENET -> He2015.isForPhotos(net);
      case FAST -> net instanceof Architecture.Convolutional;
    };
  }

  /// Returns the recipe for this net and data. Everything that the source does not state is as in
  /// [Recipe#usual]. Throws `IllegalArgumentException` for a net that is not of the source's family
  /// or for data that is not images.
  public Recipe recipe(Architecture net, Data data, long seed, int workers) {
    Recipe base = Recipe.usual(net, data, seed, workers);
    if (this == NONE) {
      return base;
    }
    if (!isFor(net) || !(data instanceof DataSet images)) {
      throw new IllegalArgumentException(
          "the recipe %s is for %s, but the model is %s; leave out `recipe`"
              .formatted(this, family, net.name()));
    }
    for (Statement statement : statements()) {
      base = statement.setting.of(base, images);
    }
    return base.with(this);
  }

  /// Returns where a training by this recipe on this data deviates from the source of its name, in
  /// the order of the source's statements; empty for a recipe without a published name.
  public static List<Difference> differences(Recipe recipe, Data data) {
    return recipe.published() == NONE
        ? List.of()
        : recipe.published().differences(Run.unwritten(recipe, data).info());
  }

  /// Returns where a run deviates from the source of its recipe.
  public static List<Difference> differences(Run run) {
    return run.recipe().published().differences(run.info());
  }

  private List<Difference> differences(Run.Info info) {
    return statements().stream()
        .filter(statement -> !statement.holds(info))
        .map(statement ->
            new Difference(
                statement.about, statement.stated.apply(info), statement.here.apply(info)))
        .toList();
  }

  /// Returns a difference from this recipe as a sentence without its full stop.
  public String sentence(Difference difference) {
    return "%s: %s states %s; this run has %s"
        .formatted(difference.about, who, difference.stated, difference.here);
  }

  /// Returns the name by which users call it, such as `he2015-cifar`.
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
