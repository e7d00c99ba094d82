package fathom.lab.ledger;

import fathom.io.AtomicFile;
import fathom.io.BadFileException;
import fathom.io.RegularFile;
import fathom.train.Machine;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// The findings of a folder, in a file `NAME.json` each. An experiment that has a finding there
/// need not run again, so a series that was interrupted continues where it stopped.
public final class Ledger {
  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .enable(SerializationFeature.FAIL_ON_EMPTY_BEANS) // a part without a form must fail
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES) // mean, spread, interval
          .build();

  private static final long MOST_BYTES = 1 << 29;

  private final Path folder;

  /// Opens the folder, and makes it if it is missing. Throws [BadFileException] if it cannot be
  /// made.
  public Ledger(Path folder) {
    this.folder = folder;
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new BadFileException(
          folder, "findings go into a folder, but it cannot be made: " + AtomicFile.reason(e), e);
    }
  }

  Path file(Experiment experiment) {
    return folder.resolve(experiment.name() + ".json");
  }

  /// Returns the file of the report of all findings.
  public Path index() {
    return folder.resolve("index.html");
  }

  /// Returns the finding of an experiment, whatever its size; empty if there is none. Throws
  /// [BadFileException] if the file is no finding of the experiment, or if its verdict does not
  /// follow from its values.
  public Optional<Finding> read(Experiment experiment) {
    Path file = file(experiment);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    @Nullable Finding finding;
    try {
      finding = finding(MAPPER.readTree(RegularFile.text(file, MOST_BYTES)));
    } catch (JacksonException e) {
      throw new BadFileException(
          file, "it is no finding (%s); delete it, or run with --again".formatted(firstLine(e)));
    }
    if (finding == null || !finding.experiment().equals(experiment.name())) {
      throw new BadFileException(
          file,
          "it is no finding of %s; delete it, or run with --again".formatted(experiment.name()));
    }
    Verdict follows = Verdict.of(finding.values());
    if (finding.verdict() != follows) {
      throw new BadFileException(
          file,
          "a verdict follows from the values, which say \"%s\", but it is \"%s\"; delete the file, or run with --again"
              .formatted(follows, finding.verdict()));
    }
    return Optional.of(finding);
  }

  /// Reads a finding. It may lack charts, maps and images: they may be left out, and older findings
  /// have none.
  private static @Nullable Finding finding(JsonNode json) {
    for (String images : List.of("charts", "maps", "images")) {
      if (json instanceof ObjectNode object && !object.has(images)) {
        object.putArray(images);
      }
    }
    return MAPPER.treeToValue(json, Finding.class);
  }

  private static String firstLine(Exception e) {
    return String.valueOf(e.getMessage()).lines().findFirst().orElse(e.toString());
  }

  /// Returns the finding of an experiment if it is of this size, these seeds and this version of
  /// Fathom. Throws [BadFileException] as [#read(Experiment)] does.
  public Optional<Finding> read(Experiment experiment, Size size, List<Long> seeds) {
    String source = Machine.here().source();
    return read(experiment)
        .filter(f ->
            f.size() == size && f.seeds().equals(seeds) && f.machine().source().equals(source));
  }

  /// Writes a finding and replaces an older one. Throws [BadFileException] if the file cannot be
  /// written.
  public void write(Experiment experiment, Finding finding) {
    AtomicFile.replace(
        file(experiment),
        (MAPPER.writeValueAsString(finding) + "\n").getBytes(StandardCharsets.UTF_8));
  }
}
