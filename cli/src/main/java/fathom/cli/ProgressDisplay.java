package fathom.cli;

import fathom.run.Progress;
import fathom.run.Wording;
import fathom.train.Metrics;
import java.io.PrintWriter;
import java.util.Locale;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/// Shows progress on standard error: as a bar on a terminal, elsewhere as plain lines.
final class ProgressDisplay implements AutoCloseable {
  private static final long LINE_EVERY_NANOS = 30_000_000_000L;

  /// The width of the bar in columns; the launcher passes the width of the terminal.
  private static final int WIDTH = Math.max(60, Integer.getInteger("fathom.columns", 100)) - 1;

  private static final String CLEAR_REST = "\033[K";

  private final PrintWriter err;
  private final String name;
  private String drawn = "";
  private @Nullable ProgressBar bar;
  private long steps;
  private long lastLine = System.nanoTime();

  ProgressDisplay(String name, PrintWriter err) {
    this.name = name;
    this.err = err;
  }

  /// Returns whether standard error is a terminal, which the launcher finds out.
  static boolean onTerminal() {
    return Boolean.getBoolean("fathom.terminal");
  }

  /// Returns a display of one training, in the words of its kind.
  Progress training(Wording wording) {
    return new Progress() {
      @Override
      public void step(StepEnd s) {
        show(
            s.step(),
            s.steps(),
            String.format(
                Locale.ROOT,
                "epoch %d/%d  %s  learning rate %.4g  %.0f %s/s",
                s.epoch(),
                s.epochs(),
                wording.soFar(s.loss(), s.error()),
                s.learningRate(),
                s.examplesPerSecond(),
                wording.examples()));
      }

      @Override
      public void epoch(Metrics.Epoch epoch) {
        line(
            String.format(
                Locale.ROOT,
                "epoch %3d  learning rate %-8.4g %s",
                epoch.epoch(),
                epoch.learningRate(),
                wording.epoch(epoch)));
      }
    };
  }

  /// Shows that `step` of `of` steps is reached.
  synchronized void show(long step, long of, String message) {
    if (onTerminal()) {
      if (bar == null) {
        bar =
            new ProgressBarBuilder()
                .setTaskName(name)
                .setInitialMax(of)
                .setStyle(ProgressBarStyle.UNICODE_BLOCK)
                .setUpdateIntervalMillis(250)
                .setConsumer(new DelegatingProgressBarConsumer(this::draw, WIDTH))
                .build();
        bar.stepTo(Math.max(0, step - 1)); // a resumed run starts at the step where it was
      }
      bar.setExtraMessage("  " + message);
      bar.stepTo(step);
    } else if (System.nanoTime() - lastLine > LINE_EVERY_NANOS) {
      lastLine = System.nanoTime();
      err.println("%s: step %s of %s, %s".formatted(name, step, of, message));
      err.flush();
    }
  }

  /// Shows that one more of `of` steps is done, whichever training did it.
  synchronized void count(long of, String message) {
    steps++;
    show(steps, of, message);
  }

  /// Prints a line that stays above the bar.
  synchronized void line(String line) {
    lastLine = System.nanoTime();
    err.println(bar == null ? line : "\r" + line + CLEAR_REST);
    err.print(drawn);
    err.flush();
  }

  /// Draws the bar over the old one. The progress bar library only renders it, so that lines can be
  /// printed above it.
  private synchronized void draw(String image) {
    drawn = "\r" + image + CLEAR_REST;
    err.print(drawn);
    err.flush();
  }

  /// Closes the bar. The method is not synchronized, because closing waits until another thread has
  /// drawn the last state of the bar, which needs the lock.
  @Override
  public void close() {
    if (bar != null) {
      bar.close();
      err.println();
      err.flush();
    }
  }
}
