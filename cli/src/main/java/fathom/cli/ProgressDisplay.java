package fathom.cli;

import fathom.train.Metrics;
import fathom.train.Progress;
import java.io.PrintWriter;
import java.util.Locale;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/// A training as it goes: a bar on a terminal, plain lines elsewhere, on standard error.
final class ProgressDisplay implements AutoCloseable {
  private static final long LINE_EVERY_NANOS = 30_000_000_000L;

  private final PrintWriter err;
  private final String name;
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

  /// For one training.
  Progress training() {
    return new Progress() {
      @Override
      public void step(StepEnd step) {
        show(step.step(), step.steps(), describe(step));
      }

      @Override
      public void epoch(Metrics.Epoch epoch) {
        line(
            String.format(
                Locale.ROOT,
                "epoch %3d  rate %-7.4g train loss %.4f error %5.2f %%   test loss %.4f error %5.2f %%   %6.0f images/s",
                epoch.epoch(),
                epoch.rate(),
                epoch.trainLoss(),
                epoch.trainError(),
                epoch.testLoss(),
                epoch.testError(),
                epoch.imagesPerSecond()));
      }
    };
  }

  private static String describe(Progress.StepEnd s) {
    return String.format(
        Locale.ROOT,
        "epoch %d/%d  loss %.4f  error %.1f %%  rate %.4g  %.0f images/s",
        s.epoch(),
        s.epochs(),
        s.loss(),
        s.error(),
        s.rate(),
        s.imagesPerSecond());
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
                .build();
        bar.stepTo(Math.max(0, step - 1)); // a resumed run starts where it stood
      }
      bar.setExtraMessage("  " + message);
      bar.stepTo(step);
    } else if (System.nanoTime() - lastLine > LINE_EVERY_NANOS) {
      lastLine = System.nanoTime();
      err.println("%s: step %d of %d, %s".formatted(name, step, of, message));
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
    if (bar != null) {
      err.print("\r\033[K"); // over the bar, which draws itself again below
    }
    err.println(line);
    err.flush();
  }

  @Override
  public synchronized void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
