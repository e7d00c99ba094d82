package fathom.peers;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;

/// Carries out the orders of a benchmark by the protocol that all peers share, in any language: it
/// prints "ready" and its version, and then, for every line that it reads, the milliseconds of one
/// run.
final class Orders {
  private Orders() {}

  static void obey(String version, Runnable run) throws IOException {
    System.out.println("ready " + version);
    var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    while (lines.readLine() != null) {
      long begun = System.nanoTime();
      run.run();
      System.out.println((System.nanoTime() - begun) / 1e6);
    }
  }
}
