package fathom.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/// The files that are copied into every page: uPlot from its webjar, with its licence, and the
/// report's own script and style sheet.
final class Assets {
  private static final String UPLOT = "/META-INF/resources/webjars/uplot/1.6.30/";

  static final Html.Code SCRIPT =
      new Html.Code(
          "/*\n%s\n*/\n%s\n%s"
              .formatted(
                  read(UPLOT + "LICENSE"),
                  read(UPLOT + "dist/uPlot.iife.min.js"),
                  read("report.js")));

  static final Html.Code STYLE =
      new Html.Code(read(UPLOT + "dist/uPlot.min.css") + "\n" + read("report.css"));

  private Assets() {}

  private static String read(String name) {
    try (InputStream in = Assets.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException(
            name + " is not on the class path; is the uplot webjar there in this version?");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).replace("\r\n", "\n").strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
