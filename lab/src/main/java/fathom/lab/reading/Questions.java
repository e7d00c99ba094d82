package fathom.lab.reading;

import fathom.RandomKey;
import fathom.io.BadFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.LongFunction;
import java.util.stream.LongStream;

/// Questions to train with and others to validate with.
///
/// @param name how a finding calls them
/// @param train the question that is drawn as number i
record Questions(String name, LongFunction<Cloze> train, List<Cloze> valid, ClozeTokens tokens) {
  private static final int MOST_WORDS = 400;
  private static final int MOST_FILES = 20_000;
  private static final int VOCABULARY = 20_000;

  /// Stories that are never told twice.
  static Questions generated(String name, int entities, int rounds, int valid, long seed) {
    var train = new Stories(RandomKey.of(seed, "stories to train"), entities, rounds);
    var held = new Stories(RandomKey.of(1, "stories to validate"), entities, rounds);
    List<Cloze> some = LongStream.range(0, valid).mapToObj(held::at).toList();
    return new Questions(name, train::at, some, ClozeTokens.of(some, VOCABULARY));
  }

  /// Those of a folder with `training` and `validation` in it.
  static Questions published(String name, Path folder, int valid, long seed) {
    List<Cloze> train = ClozeFiles.readAll(folder.resolve("training"), MOST_FILES, MOST_WORDS);
    List<Cloze> held = ClozeFiles.readAll(folder.resolve("validation"), valid, MOST_WORDS);
    ClozeTokens tokens = ClozeTokens.of(train, VOCABULARY);
    List<Cloze> known = held.stream().filter(q -> q.entities().size() <= tokens.markers()).toList();
    if (known.isEmpty()) {
      throw new BadFileException(
          folder,
          "of %s articles to validate with all have more than the %s entities of those to train with"
              .formatted(held.size(), tokens.markers()));
    }
    RandomKey draw = RandomKey.of(seed, "published questions");
    return new Questions(name, i -> train.get(draw.below(i, train.size())), known, tokens);
  }
}
