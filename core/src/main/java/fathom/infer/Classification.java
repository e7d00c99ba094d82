package fathom.infer;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.stream.IntStream;

/// The prediction of a net for an image: every class with its probability.
///
/// @param ranked all classes, the most probable first; of equals the one that comes first in the
///   net
public record Classification(List<Candidate> ranked) {
  /// A class with its probability.
  ///
  /// @param name the name of the class
  /// @param index the index of the net's output
  /// @param probability from 0 to 1; those of an image sum to 1
  public record Candidate(String name, int index, double probability) {
    /// Returns name and probability, for example `cat (97.3 %)`.
    @Override
    public String toString() {
      return String.format(Locale.ROOT, "%s (%.1f %%)", name, 100 * probability);
    }
  }

  /// Copies the list. Throws `IllegalArgumentException` if there are no classes.
  public Classification {
    ranked = List.copyOf(ranked);
    if (ranked.isEmpty()) {
      throw new IllegalArgumentException("an image is of one of some classes, but there is none");
    }
  }

  /// Ranks the classes by their probabilities, which are in the order of the classes.
  static Classification of(List<String> classes, double[] probabilities) {
    return new Classification(
        IntStream.range(0, probabilities.length)
            .mapToObj(c -> new Candidate(classes.get(c), c, probabilities[c]))
            .sorted(Comparator.comparingDouble(candidate -> -candidate.probability))
            .toList());
  }

  /// Returns the most probable class.
  public Candidate best() {
    return ranked.getFirst();
  }

  /// Returns the k most probable classes, or all if there are fewer. Throws
  /// `IllegalArgumentException` if k is less than 1.
  public List<Candidate> top(int k) {
    if (k < 1) {
      throw new IllegalArgumentException(
          "the likeliest classes are 1 or more, but %s were asked for".formatted(k));
    }
    return ranked.subList(0, Math.min(k, ranked.size()));
  }

  /// Returns the probability of each class by its name, the most probable first. If two classes
  /// have the same name, it has the sum of their probabilities.
  public SequencedMap<String, Double> probabilities() {
    var byName = new LinkedHashMap<String, Double>();
    ranked.forEach(each -> byName.merge(each.name, each.probability, Double::sum));
    return byName;
  }
}
