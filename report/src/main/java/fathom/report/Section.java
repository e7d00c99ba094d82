package fathom.report;

import java.util.List;

/// A heading and the blocks below it.
///
/// @param heading the text of the heading
/// @param blocks the blocks in their order
public record Section(String heading, List<Block> blocks) {
  /// Copies the list of blocks.
  public Section {
    blocks = List.copyOf(blocks);
  }

  /// Creates a section of these blocks.
  public Section(String heading, Block... blocks) {
    this(heading, List.of(blocks));
  }
}
