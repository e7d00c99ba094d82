package fathom.run;

import fathom.data.Data;
import fathom.data.Origin;
import fathom.io.BadFileException;
import fathom.train.Position;
import fathom.train.RunLock;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;

/// Checks everything before a run continues, and writes nothing until all checks have passed.
final class Resumption {
  private Resumption() {}

  /// Returns the run as it continues with `recipe` and `data`. Its description is written if it
  /// differs from before.
  ///
  /// Throws `IllegalArgumentException` for a recipe that ends before the run's position or for
  /// which the data does not suffice, [BadFileException] for other data than that of the run, and
  /// [fathom.train.BusyRunException] while the run is being trained.
  ///
  /// @param changed whether the data may be other than before; its classes must be those of the run
  ///   in any case
  static Run of(Run run, Recipe recipe, Data data, boolean changed) {
    try (var _ = RunLock.of(run.folder())) {
      checkClasses(run, data);
      RunData before = run.info().data();
      List<String> differences = before.identity().differences(data.identity());
      if (!differences.isEmpty() && !changed) {
        throw otherData(run, data, differences);
      }
      Recipe now = differences.isEmpty() ? recipe : recipe.kind().goingOn(recipe, before, data);
      now.check(data);
      long step = position(run, now, data, !differences.isEmpty());
      now.precision().check();
      var changes = new ArrayList<>(before.changes());
      if (!differences.isEmpty()) {
        changes.add(new RunData.Change(step, differences));
      }
      RunData known = RunData.of(run.folder(), data, before.split(), changes);
      boolean moved = !known.place().equals(before.place());
      return run.goingOn(moved ? now.withData(data.name()) : now, known, data);
    }
  }

  /// Checks that a training may begin or continue with `data`. Throws [BadFileException] unless the
  /// classes are those of the run in their order and, once the training has begun, all of the data
  /// is the same.
  static void check(Run run, Data data) {
    checkClasses(run, data);
    if (Files.exists(run.checkpoint())) {
      List<String> differences = run.info().data().identity().differences(data.identity());
      if (!differences.isEmpty()) {
        throw otherData(run, data, differences);
      }
    }
  }

  private static void checkClasses(Run run, Data data) {
    List<String> known = run.info().classes();
    List<String> given = data.classes();
    if (!ClassMatch.same(known, given)) {
      throw new BadFileException(
          run.folder(),
          "a run goes on with its own classes in their order: %s. Nothing was changed. Give the data of the run (`data`), or start another run"
              .formatted(ClassMatch.both(known, given)));
    }
  }

  private static BadFileException otherData(Run run, Data data, List<String> differences) {
    Origin now = Kind.of(data).origin(run.recipe(), data);
    return new BadFileException(
        run.folder(),
        "%s is not the data that the run was trained on: %s%s. Nothing was changed. Give that data (`data`), or go on with this one, no longer bit by bit (`dataChanged`)"
            .formatted(
                data.name(),
                String.join(", ", differences),
                now == null ? "" : ImageList.differences(run.images(), now)));
  }

  /// The position of the run in steps, which must not be after the end of the recipe.
  private static long position(Run run, Recipe recipe, Data data, boolean changed) {
    if (!Files.exists(run.checkpoint())) {
      throw new BadFileException(
          run.folder(), "the run was stopped before its first checkpoint; start it anew");
    }
    long step = Position.step(run.checkpoint());
    long batches = recipe.kind().amounts(recipe, data).steps();
    boolean shorter = recipe.epochs() < run.recipe().epochs() || changed;
    if (step > recipe.epochs() * batches && !shorter) {
      throw new BadFileException(
          run.checkpoint(),
          "it stands at step %s, but the run has %s steps; it is of another run"
              .formatted(step, recipe.epochs() * batches));
    }
    if (step > recipe.epochs() * batches) {
      throw new IllegalArgumentException(
          "the run stands at step %s, in epoch %s, but `epochs` %s is %s steps; give at least %s"
              .formatted(
                  step,
                  Math.ceilDiv(step, batches),
                  recipe.epochs(),
                  recipe.epochs() * batches,
                  Math.ceilDiv(step, batches)));
    }
    return step;
  }
}
