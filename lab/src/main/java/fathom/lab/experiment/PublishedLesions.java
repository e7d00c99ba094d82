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

/// Row 28 on [Published] weights. The row's 2 points are of ResNet-56, of 27 blocks, whose weights
/// are not among them; those of 9 and 15 blocks that are had lost 26 and 9 in the pilot. What is
/// left of the row is its direction: more blocks, less loss. Nothing here is drawn, so all seeds
/// have the same values, which are measured once.
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
    if (seed % 2 == 0) { // while another seed's thread begins with the other net
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
