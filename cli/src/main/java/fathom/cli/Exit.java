package fathom.cli;

/// The exit codes of all commands, which scripts rely on.
final class Exit {
  static final int DONE = 0;
  static final int FAILED = 1;
  static final int USAGE = 2;
  static final int BAD_FILE = 3;
  static final int NATIVE = 4;
  static final int DIVERGED = 5;

  /// Ctrl-C stopped the command, after it saved.
  static final int INTERRUPTED = 130;

  /// SIGTERM stopped the command, after it saved.
  static final int TERMINATED = 143;

  private Exit() {}
}
