package fathom.report;

import java.util.List;

/// A heading and what stands below it, in order.
public record Section(String heading, List<Block> blocks) {
  public Section {
    blocks = List.copyOf(blocks);
  }

  public Section(String heading, Block... blocks) {
    this(heading, List.of(blocks));
  }
}
