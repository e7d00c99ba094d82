package fathom.cli;

import fathom.DeviceException;
import fathom.RandomKey;
import fathom.io.BadFileException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// A kind of file that is read: where damage may be, and how it is read.
///
/// @param files what lies in its folder, undamaged, by name
/// @param ways in which one of the files is damaged; they take turns
/// @param reading of the folder
/// @param corpus files that were trouble once, or reach what mutants hardly do
record FileFormat(
    String name, Map<String, byte[]> files, List<Way> ways, Reading reading, List<Case> corpus) {

  /// A way to damage the file of this name: one of `seeds` is changed and then sealed, where a
  /// checksum or a length would betray the change before anything else is read.
  record Way(String file, List<byte[]> seeds, Mutation mutation, UnaryOperator<byte[]> seal) {
    static Way of(String file, Mutation mutation, byte[]... seeds) {
      return new Way(file, List.of(seeds), mutation, UnaryOperator.identity());
    }

    Way sealed(UnaryOperator<byte[]> seal) {
      return new Way(file, seeds, mutation, seal);
    }
  }

  /// Content for the file of this name, and what it is refused for: a part of the message; null if
  /// it is read.
  record Case(String name, String file, byte[] content, @Nullable String refused) {}

  /// What reading a folder came to: null if all is right, or else the message with which it was
  /// refused. Throws an `AssertionError` if something was read that is not in the file.
  interface Reading {
    @Nullable String of(Path folder) throws IOException;

    /// Refusal is an exception, of either kind that says what is wrong with what a user gave.
    static Reading of(Use use) {
      return folder -> {
        try {
          use.of(folder);
          return null;
        } catch (BadFileException | IllegalArgumentException e) {
          return String.valueOf(e.getMessage());
        } catch (DeviceException e) { // right, but for another machine
          return "%s: %s".formatted(folder, e.getMessage());
        }
      };
    }
  }

  interface Use {
    void of(Path folder) throws IOException;
  }

  /// Mutant `i` of this format: the way, and the content.
  Mutant mutant(long i) {
    Way way = ways.get((int) (i % ways.size()));
    RandomKey key = RandomKey.of(1, name).at(i);
    return new Mutant(way.file, way.seal.apply(way.mutation.of(way.seeds, key)));
  }

  record Mutant(String file, byte[] content) {}
}
