package fathom.infer;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.stream.IntStream;

/// What a net says of an image: every class and how likely it is.
///
/// @param ranked all classes, the likeliest first; of equals the one that comes first in the net
public record Classification(List<Candidate> ranked) {
  /// A class.
  ///
  /// @param index of the net's output
  /// @param probability from 0 to 1; all of an image sum to 1
  public record Candidate(String name, int index, double probability) {
    /// For example `cat (97.3 %)`.
    @Override
    public String toString() {
      return String.format(Locale.ROOT, "%s (%.1f %%)", name, 100 * probability);
    }
  }

  public Classification {
    ranked = List.copyOf(ranked);
    if (ranked.isEmpty()) {
      throw new IllegalArgumentException("an image is of one of some classes, but there is none");
    }
  }

  /// Of probabilities in the order of the classes.
  static Classification of(List<String> classes, double[] probabilities) {
    return new Classification(
        IntStream.range(0, probabilities.length)
            .mapToObj(c -> new Candidate(classes.get(c), c, probabilities[c]))
            .sorted(Comparator.comparingDouble(candidate -> -candidate.probability))
            .toList());
  }

  /// The likeliest class.
  public Candidate best() {
    return ranked.getFirst();
  }

  /// The k likeliest classes, or all where there are fewer. Throws `IllegalArgumentException` for
  /// fewer than one.
  public List<Candidate> top(int k) {
    if (k < 1) {
      throw new IllegalArgumentException(
          "the likeliest classes are 1 or more, but %s were asked for".formatted(k));
    }
    return ranked.subList(0, Math.min(k, ranked.size()));
  }

  /// The probability of each class by its name, the likeliest first. Of two classes of one name the
  /// sum.
  public SequencedMap<String, Double> probabilities() {
    var byName = new LinkedHashMap<String, Double>();
    ranked.forEach(each -> byName.merge(each.name, each.probability, Double::sum));
    return byName;
  }
}
