package fathom.report;

import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/// A page of charts that a careless script hangs on, fails on or draws wrongly.
final class Extremes {
  private static final double NAN = Double.NaN;
  private static final double INFINITY = Double.POSITIVE_INFINITY;

  private Extremes() {}

  static Page page() {
    return new Page(
        "Extremes",
        "Values far from one, close together, alone, missing.",
        new Section(
            "Values",
            linear("to the largest", y(1e308, -1e308, Double.MAX_VALUE, 0)),
            linear("smallest", y(1e-300, 2e-310, 4.9e-324)),
            linear("constant", y(0.1, 0.1, 0.1)),
            linear("nought", y(0, 0, 0)),
            linear("negative", y(-5, -6, -4)),
            linear("apart by rounding", y(1, 1 + 1e-15, 1 - 1e-15)),
            log("over all doubles", y(4.9e-324, 1e-200, 1e-20, Double.MAX_VALUE)),
            log("small", y(Double.MIN_NORMAL, Double.MIN_NORMAL)),
            log("large", y(1e308, 1e308)),
            log("vanishing", y(1e-17, 9e-18, 3e-16)),
            log("close together", y(1e-18, 1.1e-18, 1.2e-18)),
            log("one decade", y(1, 5, 12)),
            log("constant", y(1, 1, 1))),
        new Section(
            "Gaps",
            linear("one point", y(3)),
            log("points between gaps", y(1, 2, NAN, 3, INFINITY, 4, 5, 0, 6)),
            linear("one curve has none", y(NAN, NAN), y(1, 2)),
            log("none", y(0, -1)),
            linear("empty")),
        new Section(
            "Places",
            linear("huge", at(1e300, 2e300, 3e300)),
            linear("tiny", at(1e-300, 2e-300, 3e-300)),
            linear("over all doubles", at(-Double.MAX_VALUE, 0, Double.MAX_VALUE)),
            linear("large and close", at(1e15, 1e15 + 1, 1e15 + 2)),
            linear("next to each other", at(1, Math.nextUp(1.0), 1 + 1e-15)),
            linear("of two grains", at(0, 3000, 6000), steps(20_000))),
        new Section(
            "Many",
            linear(
                "thirty groups",
                IntStream.range(0, 30)
                    .mapToObj(i -> new Curve("group " + i, "", y(i, i * 0.9).points()))
                    .toArray(Curve[]::new))));
  }

  private static Chart linear(String title, Curve... curves) {
    return new Chart(title, "", "x", "y", Scale.LINEAR, List.of(curves));
  }

  private static Chart log(String title, Curve... curves) {
    return new Chart(title, "", "x", "y", Scale.LOG, List.of(curves));
  }

  private static Curve y(double... y) {
    return Curve.of("y", "", IntStream.range(0, y.length).asDoubleStream().toArray(), y);
  }

  private static Curve at(double... x) {
    return Curve.of("at", "", x, IntStream.rangeClosed(1, x.length).asDoubleStream().toArray());
  }

  private static Curve steps(int count) {
    double[] x = IntStream.range(0, count).asDoubleStream().toArray();
    return Curve.of("steps", "", x, DoubleStream.of(x).map(v -> 2 + StrictMath.sin(v)).toArray());
  }
}
