package fathom.cli;

import fathom.net.Architecture;

/// How `--recompute` is written.
final class RecomputeOption {
  private RecomputeOption() {}

  /// The blocks that are computed again at a time: a number, or for `auto` what needs least memory.
  /// Throws `IllegalArgumentException` for other words, and for `auto` of a net without blocks.
  static int blocks(String text, Architecture net) {
    if (text.matches("\\d{1,6}")) {
      return Integer.parseInt(text);
    }
    if (!text.equals("auto")) {
      throw new IllegalArgumentException(
          "--recompute is a number of blocks, 0 or auto, but is \"%s\"".formatted(text));
    }
    if (net instanceof Architecture.Convolutional convolutional) {
      return convolutional.usualRecompute();
    }
    throw new IllegalArgumentException(
        "--recompute is for the blocks of resnetN and plainN, and %s has none; leave it out"
            .formatted(net.name()));
  }
}
