package fathom.lab.experiment;

import fathom.Scope;
import fathom.data.Images;
import fathom.lab.instrument.Lesion;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// Measures what published nets lose without one of their blocks, on [Published] weights. Source of
/// the claim: Veit et al. 2016, section 4.1; row 28 of the project's list of claims.
///
/// The 2 points of the row are of ResNet-56 with 27 blocks, whose weights are not available here.
/// The available nets, of 9 and 15 blocks, lost 26 and 9 points in the pilot. So the experiment
/// does not show the size of the effect; the bound keeps the row's direction: more blocks, less
/// loss. Nothing is drawn, so all seeds have the same values, which are measured once.
final class PublishedLesions implements Experiment {
  private final ConcurrentHashMap<String, Lesion> measured = new ConcurrentHashMap<>();

  @Override
  public Statement statement() {
    return new Statement(
        "published-lesions",
        "What does a published net lose with one of its blocks?",
        "The published ResNet-32 misses one of its blocks less than ResNet-20.",
        "Veit et al. 2016, section 4.1; row 28, its bound as a direction",
        "30 s");
  }

  @Override
  public Optional<String> missing() {
    return Published.missing();
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    if (seed % 2 == 0) { // while the thread of another seed begins with the other net
      find("resnet32", size, note);
    }
    Lesion shallow = measure("resnet20", size, note);
    Lesion deep = measure("resnet32", size, note);
    note.measure(
        "ResNet-32 less ResNet-20, median of the error's rise, points",
        deep.medianRise() - shallow.medianRise(),
        Bound.atMost(0));
  }

  private Lesion measure(String model, Size size, Notebook note) {
    Lesion lesion = find(model, size, note);
    note.measure(model + ", whole, test error, %", lesion.whole());
    note.measure(
        model + ", one block out, median of the error's rise, points", lesion.medianRise());
    note.measure(model + ", one block out, largest rise, points", lesion.largestRise());
    Lesions.rises(lesion, model, note);
    return lesion;
  }

  private Lesion find(String model, Size size, Notebook note) {
    return measured.computeIfAbsent(
        model + size,
        _ -> {
          try (var _ = Scope.open()) {
            Images test = Published.test(size.of(20, 1000, 2000));
            return Lesion.of(
                Published.net(model),
                Lesion.BRANCHES,
                net -> {
                  note.alive();
                  try (var _ = Scope.open()) {
                    return Published.error(net, test);
                  }
                });
          }
        });
  }
}
