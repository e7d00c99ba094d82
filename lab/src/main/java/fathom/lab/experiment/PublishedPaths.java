package fathom.lab.experiment;

import fathom.DType;
import fathom.Layer;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.data.Images;
import fathom.lab.instrument.PathLengths;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import java.util.Optional;
import java.util.stream.IntStream;

/// Measures the lengths of the paths along which the gradient comes back in [Published] nets.
/// Source of the claim: Veit et al. 2016, section 4.3, with thresholds of this project that were
/// set before the first run. The images, the paths and the direction of the logits whose gradient
/// is sent back are drawn.
///
/// The paper finds that of 54 blocks few are on a path that carries gradient. The bounds here
/// require less than the half that all paths have on average. That holds with 15 blocks, where the
/// gradient's paths have 6 branches, but not with 9, where they have 5. So the length hardly grows
/// with depth; the paper calls it short for deep nets, and these shallow nets do not show that.
final class PublishedPaths implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "published-paths",
        "How long are the paths on which a published net's gradient comes back?",
        "The gradient of the published ResNet-20 and ResNet-32 comes back along paths through fewer"
            + " branches than most paths have.",
        "Veit et al. 2016, section 4.3; thresholds of this project, set before the first run",
        "15 s");
  }

  @Override
  public Optional<String> missing() {
    return Published.missing();
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    Images test = Published.test(10_000);
    int[] order = RandomKey.of(seed, "pictures").permutation(test.count());
    int[] some = IntStream.range(0, size.of(2, 16, 64)).map(i -> order[i]).toArray();
    for (String model : new String[] {"resnet20", "resnet32"}) {
      note.alive();
      try (var _ = Scope.open()) {
        Layer net = Published.net(model);
        Tensor direction = Tensor.normal(RandomKey.of(seed, "direction"), DType.FLOAT32, 1, 10);
        Tensor x = Published.batch(test.select(some));
        Lesions.paths(PathLengths.of(net, x, direction, seed), model, note);
      }
    }
  }
}
