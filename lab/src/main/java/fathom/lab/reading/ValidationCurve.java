package fathom.lab.reading;

import fathom.lab.ledger.Notebook;
import fathom.report.Scale;
import java.util.ArrayList;
import java.util.List;

/// What was measured on validation data after so many steps; more is better.
///
/// @param every the steps between two measurements
record ValidationCurve(int every, List<Double> values) {
  ValidationCurve(int every) {
    this(every, new ArrayList<>());
  }

  /// Adds the next measurement; whether it is better than all before it.
  boolean add(double value) {
    boolean better = values.stream().allMatch(before -> value > before);
    values.add(value);
    return better;
  }

  double best() {
    return values.stream().mapToDouble(d -> d).max().orElse(Double.NaN);
  }

  /// What was measured last.
  double last() {
    return values.getLast();
  }

  /// What was measured at half of the steps, or next before.
  double half() {
    return values.get(Math.max(0, values.size() / 2 - 1));
  }

  /// The first step at which it was at least `limit`; one measurement more than there are if it
  /// never was.
  double firstAtLeast(double limit) {
    int k = 0;
    while (k < values.size() && !(values.get(k) >= limit)) {
      k++;
    }
    return (k + 1.0) * every;
  }

  /// Draws it as a line of the chart of this title.
  void draw(String title, String unit, String arm, Notebook note) {
    double[] steps = new double[values.size()];
    double[] heights = new double[steps.length];
    for (int k = 0; k < steps.length; k++) {
      steps[k] = (k + 1.0) * every;
      heights[k] = values.get(k);
    }
    note.curve(title, "steps", unit, Scale.LINEAR, arm, steps, heights);
  }
}
