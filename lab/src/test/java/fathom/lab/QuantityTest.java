package fathom.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import fathom.lab.experiment.Experiments;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Finding;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Value;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// A record is judged by the bounds of its size.
class QuantityTest {
  private static final Value QUICK = value("rank of 24 directions", 21);
  private static final Value FULL = value("rank of 60 directions", 55);

  private static Value value(String what, double bound) {
    return new Value(what, List.of(1.0), Bound.atLeast(bound));
  }

  @Test
  void aNameThatTellsItsSizeHasTheBoundOfItsSize() {
    var both = new Quantity(QUICK, FULL);
    assertEquals("rank of 24 directions (quick), 60 directions (full)", both.what());
    assertEquals("≥ 21 (quick), ≥ 55 (full)", both.bound());
  }

  @Test
  void oneNameHasOneBound() {
    assertEquals("≥ 21", new Quantity(QUICK, QUICK).bound());
    var loosened = new Quantity(QUICK, value(QUICK.what(), 20));
    assertThrows(AssertionError.class, loosened::bound);
  }

  @Test
  void whatHasARecordOfOneSizeHasItsBound() {
    List<Quantity> quantities = Quantity.of(List.of(QUICK), List.of(FULL, FULL));
    assertEquals(2, quantities.size());
    assertEquals("rank of 60 directions", quantities.getLast().what());
    assertEquals("≥ 55", quantities.getLast().bound());
  }

  /// Of a record that took longer, only what has the same name at every size is compared, by
  /// `LaboratoryTest`.
  private static final double MOST_SECONDS = 3;

  static Stream<Arguments> shortRecords() throws IOException {
    var records = Stream.<Arguments>builder();
    for (Experiment experiment : Experiments.all()) {
      for (Size size : List.of(Size.QUICK, Size.FULL)) {
        Records.newest(experiment, size)
            .filter(record -> record.seconds() < MOST_SECONDS)
            .ifPresent(record -> records.add(Arguments.of(experiment.name(), size, record)));
      }
    }
    return records.build();
  }

  @ParameterizedTest(name = "{0}, {1}")
  @MethodSource("shortRecords")
  void theBoundsOfARecordAreThoseThatTheExperimentSetsAtItsSize(
      String name, Size size, Finding record) {
    Experiment experiment =
        Experiments.all().stream().filter(e -> e.name().equals(name)).findFirst().orElseThrow();
    assumeTrue(experiment.missing().isEmpty());
    var note = new Notebook(1, () -> false);
    experiment.observe(size, 1, note);
    Finding now =
        Finding.of(experiment.statement(), size, List.of(1L), List.of(note), 0, "2026-11-30");
    assertEquals(bounds(now), bounds(record));
  }

  private static Map<String, Bound> bounds(Finding finding) {
    var bounds = new LinkedHashMap<String, Bound>();
    finding.values().forEach(v -> bounds.put(v.what(), v.bound()));
    return bounds;
  }
}
