package fathom.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EventFileTest {
  /// The start of a PNG file in colour, 5 pixels wide and 4 high.
  private static final byte[] PNG = {
    (byte) 0x89,
    'P',
    'N',
    'G',
    '\r',
    '\n',
    0x1a,
    '\n',
    0,
    0,
    0,
    13,
    'I',
    'H',
    'D',
    'R',
    0,
    0,
    0,
    5,
    0,
    0,
    0,
    4,
    8,
    2,
    0,
    0,
    0
  };

  @TempDir private Path folder;

  // ---- A reader of its own

  /// CRC-32C bit by bit: the polynomial 0x1EDC6F41 turned round, from all ones to their complement.
  private static int crc(byte[] data) {
    int crc = -1;
    for (byte b : data) {
      crc ^= b & 0xff;
      for (int i = 0; i < 8; i++) {
        crc = (crc & 1) == 0 ? crc >>> 1 : (crc >>> 1) ^ 0x82f63b78;
      }
    }
    return ~crc;
  }

  private static int masked(byte[] data) {
    int crc = crc(data);
    return ((crc >>> 15) | (crc << 17)) + 0xa282ead8;
  }

  private static List<Map<Integer, Object>> read(Path file) throws IOException {
    var events = new ArrayList<Map<Integer, Object>>();
    var in = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    while (in.hasRemaining()) {
      var length = new byte[8];
      in.get(length);
      assertEquals(masked(length), in.getInt(), "the sum of the length");
      var data = new byte[(int) ByteBuffer.wrap(length).order(ByteOrder.LITTLE_ENDIAN).getLong()];
      in.get(data);
      assertEquals(masked(data), in.getInt(), "the sum of the event");
      events.add(fields(data));
    }
    return events;
  }

  /// The last value of each field: a long, a float, a double or bytes.
  private static Map<Integer, Object> fields(byte[] data) {
    var fields = new HashMap<Integer, Object>();
    var in = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
    while (in.hasRemaining()) {
      long tag = varint(in);
      int field = (int) (tag >>> 3);
      switch ((int) (tag & 7)) {
        case 0 -> fields.put(field, varint(in));
        case 1 -> fields.put(field, in.getDouble());
        case 2 -> {
          var bytes = new byte[(int) varint(in)];
          in.get(bytes);
          fields.put(field, bytes);
        }
        case 5 -> fields.put(field, in.getFloat());
        default -> throw new AssertionError("a field of kind " + (tag & 7));
      }
    }
    return fields;
  }

  private static long varint(ByteBuffer in) {
    long value = 0;
    for (int shift = 0; ; shift += 7) {
      byte b = in.get();
      value |= (long) (b & 0x7f) << shift;
      if (b >= 0) {
        return value;
      }
    }
  }

  private static byte[] bytes(Map<Integer, Object> fields, int field) {
    if (fields.get(field) instanceof byte[] bytes) {
      return bytes;
    }
    throw new AssertionError("field %s of %s".formatted(field, fields));
  }

  private static String text(Map<Integer, Object> fields, int field) {
    return new String(bytes(fields, field), StandardCharsets.UTF_8);
  }

  private static Map<Integer, Object> value(Map<Integer, Object> event) {
    return fields(bytes(fields(bytes(event, 5)), 1));
  }

  private static double[] doubles(byte[] bytes) {
    var in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asDoubleBuffer();
    var values = new double[in.remaining()];
    in.get(values);
    return values;
  }

  // ---- What it reads

  /// RFC 3720, appendix B.4.
  @Test
  void theSumIsThatOfTheStandard() {
    assertEquals(0x8a9136aa, crc(new byte[32]));
    assertEquals(0xe3069283, crc("123456789".getBytes(StandardCharsets.US_ASCII)));
  }

  @Test
  void whatIsWrittenIsRead() throws IOException {
    EventFile file = EventFile.begin(folder.resolve("events"), 0);
    file.scalar(300, "loss/test", 0.25);
    file.histogram(301, "weights", new double[] {-1, 0, 0.999, 1, Double.NaN});
    file.histogram(301, "nothing", new double[] {Double.NaN});
    file.histogram(302, "same", new double[] {2, 2});
    file.image(303, "picture", PNG);
    var events = read(file.path());
    assertEquals(5, events.size());
    assertEquals("brain.Event:2", text(events.getFirst(), 3), "the version comes first");
    assertTrue((double) events.getFirst().getOrDefault(1, 0.0) > 1.6e9, "seconds since 1970");

    var scalar = value(events.get(1));
    assertEquals(300L, events.get(1).get(2));
    assertEquals("loss/test", text(scalar, 1));
    assertEquals(0.25f, scalar.get(2));

    var histogram = fields(bytes(value(events.get(2)), 5));
    assertEquals(-1.0, histogram.get(1));
    assertEquals(1.0, histogram.get(2));
    assertEquals(4.0, histogram.get(3));
    assertEquals(0.999, (double) histogram.getOrDefault(4, 0.0), 1e-12);
    assertEquals(2 + 0.999 * 0.999, (double) histogram.getOrDefault(5, 0.0), 1e-12);
    double[] limits = doubles(bytes(histogram, 6));
    double[] buckets = doubles(bytes(histogram, 7));
    assertEquals(64, limits.length);
    assertEquals(-1 + 1 / 32.0, limits[0], 1e-12);
    assertEquals(1, limits[63], 1e-12);
    assertEquals(1, buckets[0]);
    assertEquals(1, buckets[32]);
    assertEquals(2, buckets[63]);

    var same = fields(bytes(value(events.get(3)), 5));
    assertArrayEquals(new double[] {2}, doubles(bytes(same, 7)));
    assertArrayEquals(new double[] {Math.nextUp(2.0)}, doubles(bytes(same, 6)));

    var image = fields(bytes(value(events.get(4)), 4));
    assertEquals(4L, image.get(1));
    assertEquals(5L, image.get(2));
    assertEquals(3L, image.get(3));
    assertArrayEquals(PNG, bytes(image, 4));
  }

  @Test
  void filesFollowOneAnotherByName() throws IOException {
    EventFile first = EventFile.begin(folder, 0);
    EventFile second = EventFile.begin(folder, 7);
    assertTrue(first.path().compareTo(second.path()) < 0);
    assertTrue(first.path().toString().contains("tfevents"));
    assertEquals(1, read(first.path()).size());
    var start = read(second.path()).get(1);
    assertEquals(7L, start.get(2), "a session starts at this step");
    assertEquals(1L, fields(bytes(start, 7)).get(1), "START");
  }

  @Test
  void aFolderThatCannotBeIsRefused() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    var e = assertThrows(BadFileException.class, () -> EventFile.begin(file.resolve("events"), 0));
    assertTrue(e.getMessage().contains("cannot be written"), e.getMessage());
  }
}
