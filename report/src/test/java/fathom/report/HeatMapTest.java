package fathom.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class HeatMapTest {
  private static String markup(List<List<Double>> values) {
    var out = new StringBuilder();
    Heat.of(
            new HeatMap(
                "T", "", "epoch", "layer", "‖g‖", List.of("a<b", "c"), List.of("1", "2"), values))
        .print(out);
    return out.toString();
  }

  /// The least is the darkest colour, the most the brightest, and their geometric mean the middle
  /// one.
  @Test
  void equalRatiosAreEqualStepsOfColour() {
    String map = markup(List.of(List.of(0.01, 1.0), List.of(100.0, Double.NaN)));
    assertEquals(3, map.split("<rect ", -1).length - 1, "what is no number has no colour");
    for (String colour : new String[] {"#14104a", "#bb3754", "#fcf6a5"}) {
      assertTrue(map.contains("fill=\"" + colour + "\""), colour + " in " + map);
    }
    assertTrue(map.contains("a&lt;b, epoch 2: 1"), map);
    assertTrue(map.contains("role=\"img\""), map);
    assertTrue(map.contains("dark to bright: 0.01 to 100"), map);
  }

  @Test
  void nothingToDrawIsSaid() {
    String map = markup(List.of(List.of(0.0, -1.0), List.of(Double.NaN, Double.POSITIVE_INFINITY)));
    assertFalse(map.contains("<svg"), map);
    assertTrue(map.contains("None of the values can be drawn."), map);
  }

  @Test
  void aValueForEachRowAndColumn() {
    var e = assertThrows(IllegalArgumentException.class, () -> markup(List.of(List.of(1.0, 2.0))));
    assertTrue(e.getMessage().contains("2 rows of 2 columns"), e.getMessage());
  }
}
