package fathom.run;

import fathom.io.SafeTensors;
import java.lang.foreign.ValueLayout;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;

/// The bits of a run.
final class Bits {
  private Bits() {}

  /// All that its checkpoint holds but the time.
  static Map<String, String> of(Run run) {
    var bits = new TreeMap<String, String>();
    try (var stored = SafeTensors.open(run.checkpoint())) {
      for (String name : stored.names()) {
        byte[] bytes = stored.tensor(name).bytes().toArray(ValueLayout.JAVA_BYTE);
        bits.put(name, HexFormat.of().formatHex(bytes));
      }
      stored
          .metadata()
          .forEach((key, value) -> {
            if (key.startsWith("fathom.") && !key.equals("fathom.seconds")) {
              bits.put(key, value);
            }
          });
    }
    return bits;
  }
}
