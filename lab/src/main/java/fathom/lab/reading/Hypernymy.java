package fathom.lab.reading;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The partial order "is a kind of" on synsets: the transitive closure of their hypernyms. Synsets
/// are counted from 0 in the order in which they were given.
final class Hypernymy {
  /// More pairs than ten times what WordNet has.
  private static final int MOST_PAIRS = 10_000_000;

  private final int[][] ancestors;
  private final boolean[] hasHyponyms;

  private Hypernymy(int[][] ancestors, boolean[] hasHyponyms) {
    this.ancestors = ancestors;
    this.hasHyponyms = hasHyponyms;
  }

  /// Throws `IllegalArgumentException` if a synset is above itself, or is under one that is not
  /// there.
  static Hypernymy of(List<Synset> synsets) {
    Map<Long, Integer> places = new HashMap<>();
    for (int i = 0; i < synsets.size(); i++) {
      places.put(synsets.get(i).offset(), i);
    }
    int[][] parents = new int[synsets.size()][];
    Arrays.setAll(
        parents,
        i -> synsets.get(i).hypernyms().stream().mapToInt(of -> place(places, of)).toArray());
    return new Hypernymy(closure(parents, synsets), hyponyms(parents));
  }

  private static int place(Map<Long, Integer> places, long offset) {
    Integer place = places.get(offset);
    if (place == null) {
      throw new IllegalArgumentException(
          "the hypernym %s is not among the %s synsets"
              .formatted(Synset.written(offset), places.size()));
    }
    return place;
  }

  private static boolean[] hyponyms(int[][] parents) {
    boolean[] has = new boolean[parents.length];
    for (int[] of : parents) {
      for (int parent : of) {
        has[parent] = true;
      }
    }
    return has;
  }

  /// The ancestors of each, in rising order: those above come first (Kahn 1962).
  private static int[][] closure(int[][] parents, List<Synset> synsets) {
    var children = new ArrayList<List<Integer>>();
    for (int i = 0; i < parents.length; i++) {
      children.add(new ArrayList<>());
    }
    int[] waits = new int[parents.length];
    var ready = new ArrayDeque<Integer>();
    for (int i = 0; i < parents.length; i++) {
      waits[i] = parents[i].length;
      for (int parent : parents[i]) {
        children.get(parent).add(i);
      }
      if (waits[i] == 0) {
        ready.add(i);
      }
    }
    int[][] ancestors = new int[parents.length][];
    int done = 0;
    long pairs = 0;
    while (!ready.isEmpty()) {
      int i = ready.remove();
      ancestors[i] = union(parents[i], ancestors);
      done++;
      pairs += ancestors[i].length;
      if (pairs > MOST_PAIRS) {
        throw new IllegalArgumentException(
            "an order has at most %s pairs, but there are more; give fewer synsets"
                .formatted(MOST_PAIRS));
      }
      for (int child : children.get(i)) {
        if (--waits[child] == 0) {
          ready.add(child);
        }
      }
    }
    if (done < parents.length) {
      int stuck = 0;
      while (ancestors[stuck] != null) {
        stuck++;
      }
      throw new IllegalArgumentException(
          "an order has no circle, but %s (%s) stands in or under one"
              .formatted(
                  synsets.get(stuck).words().getFirst(),
                  Synset.written(synsets.get(stuck).offset())));
    }
    return ancestors;
  }

  private static int[] union(int[] parents, int[][] ancestors) {
    int[] all = parents.clone();
    for (int parent : parents) {
      int from = all.length;
      all = Arrays.copyOf(all, from + ancestors[parent].length);
      System.arraycopy(ancestors[parent], 0, all, from, ancestors[parent].length);
    }
    return Arrays.stream(all).sorted().distinct().toArray();
  }

  int size() {
    return ancestors.length;
  }

  /// All that is above it, in rising order.
  int[] ancestors(int synset) {
    return ancestors[synset].clone();
  }

  /// Whether the first is a kind of the second, and not the same.
  boolean holds(int specific, int general) {
    return Arrays.binarySearch(ancestors[specific], general) >= 0;
  }

  /// Whether nothing is below it.
  boolean isLeaf(int synset) {
    return !hasHyponyms[synset];
  }
}
