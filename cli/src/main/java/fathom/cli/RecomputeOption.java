package fathom.cli;

import fathom.net.Architecture;

/// Parses `--recompute`.
final class RecomputeOption {
  private RecomputeOption() {}

  /// Returns the number of blocks that are recomputed at a time: the given number, or for `auto`
  /// the number that needs the least memory. Throws `IllegalArgumentException` for other words, and
  /// for `auto` with a net that has no blocks.
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
