// Your own data: the examples are rows of a database file, which are read when they are needed. A
// net learns from speed and angle how far a shot flies.
package fathom.examples;

import fathom.Layer;
import fathom.loss.Loss;
import fathom.nn.*;
import fathom.task.*;
import fathom.train.Trainer;
import java.nio.file.Files;
import java.sql.*;

final class OwnData {
  static float[] read(Connection shots, int id, String... columns) { // called by every worker
    try (var query = shots.prepareStatement("SELECT * FROM shot WHERE id = ?")) {
      query.setInt(1, id);
      ResultSet row = query.executeQuery();
      row.next();
      var numbers = new float[columns.length];
      for (int i = 0; i < numbers.length; i++) {
        numbers[i] = row.getFloat(columns[i]);
      }
      return numbers;
    } catch (SQLException e) {
      throw new IllegalStateException("shot %s cannot be read".formatted(id), e);
    }
  }

  static Layer net(Init init) {
    return Chain.of(Dense.of(init, "0", 2, 32), new Tanh(), Dense.of(init, "2", 32, 1));
  }

  static void main() throws Exception {
    String file = Files.createTempDirectory("own-data").resolve("shots").toString();
    try (var shots = DriverManager.getConnection("jdbc:h2:" + file);
        var statement = shots.createStatement()) {
      statement.execute(
          """
          CREATE TABLE shot(id INT PRIMARY KEY, speed REAL, angle REAL, distance REAL) AS
          SELECT x, v, a, v * v * SIN(2 * a) -- v² sin 2α / g, in units in which g is 1
          FROM (SELECT x, x / 1000.0 v, MOD(7 * x, 90) / 57.3 a FROM SYSTEM_RANGE(0, 999))
          """);
      var source =
          Source.of(1000, i -> read(shots, i, "speed", "angle"), i -> read(shots, i, "distance"));
      var task = Supervised.of(source, Loss.SQUARED_ERROR).heldOut(0.2);
      IO.println("half the squared error: " + Trainer.of(OwnData::net, task).batch(8).fit().test());
    }
  }
}
