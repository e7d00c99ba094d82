package fathom.io;

import java.util.regex.Pattern;

/// Texts of files and users as a message may show them: without characters that a terminal would
/// obey, and no longer than somebody reads.
public final class Shown {
  private static final int LONGEST_NAME = 120;

  /// Of a long message the end is shown too, where it says what to do.
  private static final int START = 1000;

  private static final int END = 300;

  /// Control characters, and those that change the direction of writing or cannot be seen.
  private static final Pattern OBEYED = Pattern.compile("[\\p{Cc}\\p{Cf}]");

  private static final Pattern OBEYED_IN_LINES = Pattern.compile("[\\p{Cc}\\p{Cf}&&[^\n]]");

  private Shown() {}

  /// In quotes: the start of a long name.
  public static String name(String text) {
    String start = text.length() <= LONGEST_NAME ? text : text.substring(0, LONGEST_NAME) + "...";
    return "'" + OBEYED.matcher(start).replaceAll("?") + "'";
  }

  /// A whole message, in lines.
  public static String message(String text) {
    String ends =
        text.length() <= START + END
            ? text
            : text.substring(0, START) + " ... " + text.substring(text.length() - END);
    return OBEYED_IN_LINES.matcher(ends).replaceAll("?");
  }
}
