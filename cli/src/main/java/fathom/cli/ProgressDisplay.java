package fathom.cli;

import fathom.run.Progress;
import fathom.train.Metrics;
import java.io.PrintWriter;
import java.util.Locale;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/// A training as it goes: a bar on a terminal, plain lines elsewhere, on standard error.
final class ProgressDisplay implements AutoCloseable {
  private static final long LINE_EVERY_NANOS = 30_000_000_000L;

  /// The launcher knows how wide the terminal is.
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

  /// The launcher knows whether standard error is a terminal.
  static boolean onTerminal() {
    return Boolean.getBoolean("fathom.terminal");
  }

  /// For one training, of pictures or of text.
  Progress training(boolean text) {
    return new Progress() {
      @Override
      public void step(StepEnd step) {
        show(step.step(), step.steps(), describe(step, text));
      }

      @Override
      public void epoch(Metrics.Epoch epoch) {
        line(text ? textLine(epoch) : pictureLine(epoch));
      }
    };
  }

  private static String pictureLine(Metrics.Epoch epoch) {
    return String.format(
        Locale.ROOT,
        "epoch %3d  rate %-7.4g train loss %.4f error %5.2f %%   %s loss %.4f error %5.2f %%  "
            + " %6.0f images/s",
        epoch.epoch(),
        epoch.rate(),
        epoch.trainLoss(),
        epoch.trainError(),
        epoch.measuredOn(),
        epoch.testLoss(),
        epoch.testError(),
        epoch.examplesPerSecond());
  }

  private static String textLine(Metrics.Epoch epoch) {
    return String.format(
        Locale.ROOT,
        "epoch %3d  rate %-7.4g train %.3f bits per character   held out %.3f   %8.0f characters/s",
        epoch.epoch(),
        epoch.rate(),
        bits(epoch.trainLoss()),
        bits(epoch.testLoss()),
        epoch.examplesPerSecond());
  }

  private static double bits(double nats) {
    return nats / Math.log(2);
  }

  private static String describe(Progress.StepEnd s, boolean text) {
    return text
        ? String.format(
            Locale.ROOT,
            "epoch %d/%d  %.3f bits per character  rate %.4g  %.0f characters/s",
            s.epoch(),
            s.epochs(),
            bits(s.loss()),
            s.rate(),
            s.examplesPerSecond())
        : String.format(
            Locale.ROOT,
            "epoch %d/%d  loss %.4f  error %.1f %%  rate %.4g  %.0f images/s",
            s.epoch(),
            s.epochs(),
            s.loss(),
            s.error(),
            s.rate(),
            s.examplesPerSecond());
  }

  /// Moves to `step` of `of`.
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
        bar.stepTo(Math.max(0, step - 1)); // a resumed run starts where it stood
      }
      bar.setExtraMessage("  " + message);
      bar.stepTo(step);
    } else if (System.nanoTime() - lastLine > LINE_EVERY_NANOS) {
      lastLine = System.nanoTime();
      err.println("%s: step %s of %s, %s".formatted(name, step, of, message));
      err.flush();
    }
  }

  /// Moves on by one of `of` steps, whichever training made it.
  synchronized void count(long of, String message) {
    steps++;
    show(steps, of, message);
  }

  /// A line that stays.
  synchronized void line(String line) {
    lastLine = System.nanoTime();
    err.println(bar == null ? line : "\r" + line + CLEAR_REST);
    err.print(drawn);
    err.flush();
  }

  /// The library says what the bar looks like; it is drawn here, over the old one, so that lines
  /// can stand above it.
  private synchronized void draw(String picture) {
    drawn = "\r" + picture + CLEAR_REST;
    err.print(drawn);
    err.flush();
  }

  /// Not under the lock: the bar waits for its last picture, which another thread draws.
  @Override
  public void close() {
    if (bar != null) {
      bar.close();
      err.println();
      err.flush();
    }
  }
}
