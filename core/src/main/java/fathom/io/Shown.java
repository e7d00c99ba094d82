package fathom.io;

import java.util.regex.Pattern;

/// Makes texts from files and users safe for messages: without control characters, which a terminal
/// would execute, and no longer than a reader can use.
public final class Shown {
  private static final int LONGEST_NAME = 120;

  /// The length of the start and of the end of a long message that are shown. The end is included
  /// because it says what to do.
  private static final int START = 1000;

  private static final int END = 300;

  /// Control characters, and characters that are invisible or change the direction of writing.
  private static final Pattern OBEYED = Pattern.compile("[\\p{Cc}\\p{Cf}]");

  private static final Pattern OBEYED_IN_LINES = Pattern.compile("[\\p{Cc}\\p{Cf}&&[^\n]]");

  private Shown() {}

  /// Returns a name in quotes; of a long one the first 120 characters.
  public static String name(String text) {
    String start = text.length() <= LONGEST_NAME ? text : text.substring(0, LONGEST_NAME) + "...";
    return "'" + OBEYED.matcher(start).replaceAll("?") + "'";
  }

  /// Returns a whole message. Its line ends are kept, and of a message of more than 1300 characters
  /// the middle is left out.
  public static String message(String text) {
    String ends =
        text.length() <= START + END
            ? text
            : text.substring(0, START) + " ... " + text.substring(text.length() - END);
    return OBEYED_IN_LINES.matcher(ends).replaceAll("?");
  }
}
