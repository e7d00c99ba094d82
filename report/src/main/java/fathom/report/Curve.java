package fathom.report;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalDouble;

/// A line of a [Chart].
///
/// @param group what is compared, such as a network; it decides the colour, the same on the whole
///   page
/// @param name tells the curves of one group apart, such as a seed, by their dashes; may be empty
/// @param points in strictly rising order of finite x; may be empty
public record Curve(String group, String name, List<Point> points) {
  /// Copies the list of points.
  ///
  /// @throws IllegalArgumentException if an x is not finite, or not above the one before it
  public Curve {
    points = List.copyOf(points);
    double before = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < points.size(); i++) {
      double x = points.get(i).x();
      if (!(x > before && x < Double.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException(
            "curve \"%s\" \"%s\": x must be finite and rise, but x[%s] is %s after %s; sort the points"
                    .formatted(group, name, i, x, i == 0 ? "nothing" : Double.toString(before))
                + " and leave out those without a place");
      }
      before = x;
    }
  }

  /// Returns the curve through the points `(x[i], y[i])`.
  ///
  /// @throws IllegalArgumentException if x and y have different lengths, an x is not finite, or an
  ///   x is not above the one before it
  public static Curve of(String group, String name, double[] x, double[] y) {
    if (x.length != y.length) {
      throw new IllegalArgumentException(
          "curve \"%s\" \"%s\": every x needs a y, but there are %s x and %s y"
              .formatted(group, name, x.length, y.length));
    }
    List<Point> points = new ArrayList<>(x.length);
    for (int i = 0; i < x.length; i++) {
      points.add(new Point(x[i], y[i]));
    }
    return new Curve(group, name, points);
  }

  /// Returns the y of the point with this x, if there is such a point.
  OptionalDouble at(double x) {
    int i = Collections.binarySearch(points, new Point(x, 0), Comparator.comparingDouble(Point::x));
    return i < 0 ? OptionalDouble.empty() : OptionalDouble.of(points.get(i).y());
  }

  /// Returns group and name, separated by a comma, or the group alone if the name is empty.
  public String label() {
    return name.isEmpty() ? group : group + ", " + name;
  }
}
