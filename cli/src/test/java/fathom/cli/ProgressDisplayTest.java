package fathom.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ProgressDisplayTest {
  private final StringWriter err = new StringWriter();

  @AfterEach
  void offTerminal() {
    System.clearProperty("fathom.terminal");
  }

  private void showTwoSteps() {
    assertTimeoutPreemptively(
        Duration.ofSeconds(20),
        () -> {
          try (var display = new ProgressDisplay("resnet8", new PrintWriter(err))) {
            display.show(1, 2, "loss 0.5");
            display.line("epoch 1");
            display.show(2, 2, "loss 0.25");
          }
        });
  }

  @Test
  void onATerminalABarStandsBelowTheLinesAndEnds() {
    System.setProperty("fathom.terminal", "true");
    showTwoSteps();
    String printed = err.toString();
    assertTrue(printed.contains("epoch 1\033[K\n"), printed);
    assertTrue(printed.contains("100%") && printed.contains("loss 0.25"), printed);
  }

  @Test
  void elsewhereThereAreOnlyLines() {
    showTwoSteps();
    assertEquals("epoch 1\n", err.toString().replace("\r\n", "\n"));
  }
}
