package fathom.lab;

import fathom.lab.ledger.Size;

/// A figure of a page: the mean of what a record has under a name that begins with `start`, in the
/// words of the page.
record Figure(Size size, String experiment, String start, String words) {
  static Figure quick(String experiment, String start, String words) {
    return new Figure(Size.QUICK, experiment, start, words);
  }

  static Figure full(String experiment, String start, String words) {
    return new Figure(Size.FULL, experiment, start, words);
  }
}
