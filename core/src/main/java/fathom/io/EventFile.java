package fathom.io;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.Arrays;
import java.util.Locale;
import java.util.zip.CRC32C;

/// Writes a file of events that TensorBoard reads: `Event` messages
/// (tensorflow/core/util/event.proto and framework/summary.proto), each in a TFRecord frame. A
/// frame is the length of the message in 8 bytes, the masked CRC-32C of the length, the message,
/// and the masked CRC-32C of the message; all numbers are little-endian.
///
/// Each event is appended to the file immediately. A reader can use a file whose end was cut off,
/// up to the last complete event.
public final class EventFile {
  /// The offset of the image's size in a PNG file.
  private static final int PNG_SIZE = 16;

  private static final int PNG_GREY = 0;

  /// The text by which TensorBoard recognises the name of a file of events.
  private static final String MARK = "events.out.tfevents";

  /// The field `Event.session_log`, and the value `START` of its status.
  private static final int SESSION = 7;

  private static final int STARTS = 1;

  private static final int MASK = 0xa282ead8;
  private static final int BUCKETS = 64;

  private final Path file;

  private EventFile(Path file) {
    this.file = file;
  }

  /// Begins a file in `folder`, which is created if needed. TensorBoard reads the files of a folder
  /// in the order of their names, and this one comes last. If `from` is more than 0, the file first
  /// states that a session starts at this step, so that TensorBoard forgets the events of the other
  /// files from this step on; in files of this version (`brain.Event:2`) nothing else makes it
  /// forget them, not even steps that go back. Throws [BadFileException] if the file cannot be
  /// written.
  public static EventFile begin(Path folder, long from) {
    try {
      Files.createDirectories(folder);
      long number;
      try (var there = Files.list(folder)) {
        number = there.filter(file -> file.toString().contains(MARK)).count();
      }
      Instant now = Instant.now();
      Path file =
          folder.resolve(
              String.format(
                  Locale.ROOT, "%s.%010d.fathom.%06d", MARK, now.getEpochSecond(), number));
      Files.createFile(file);
      var events = new EventFile(file);
      events.append(event(0).text(3, "brain.Event:2"));
      if (from > 0) {
        events.append(event(from).message(SESSION, new Message().integer(1, STARTS)));
      }
      return events;
    } catch (IOException e) {
      throw new BadFileException(
          folder, "the events cannot be written: %s".formatted(AtomicFile.reason(e)), e);
    }
  }

  /// Returns the path of the file.
  public Path path() {
    return file;
  }

  /// Appends a number, which is stored in single precision, for the curve `tag`. Throws
  /// [BadFileException] if it cannot be written.
  public void scalar(long step, String tag, double value) {
    summary(step, new Message().text(1, tag).number(2, (float) value));
  }

  /// Appends a histogram of the values: their counts in 64 intervals of equal width between the
  /// least and the greatest, or in a single one if all are equal. Values that are not finite are
  /// left out; if none is left, nothing is written. Throws [BadFileException] if it cannot be
  /// written.
  public void histogram(long step, String tag, double[] values) {
    double[] finite = Arrays.stream(values).filter(Double::isFinite).toArray();
    if (finite.length == 0) {
      return;
    }
    var all = Arrays.stream(finite).summaryStatistics();
    double width = (all.getMax() - all.getMin()) / BUCKETS;
    int count = width > 0 ? BUCKETS : 1;
    var limits = new double[count];
    var buckets = new double[count];
    for (int i = 0; i < count; i++) {
      limits[i] = i == count - 1 ? Math.nextUp(all.getMax()) : all.getMin() + (i + 1) * width;
    }
    double squares = 0;
    for (double value : finite) {
      int bucket = width > 0 ? (int) ((value - all.getMin()) / width) : 0;
      buckets[Math.min(bucket, count - 1)]++;
      squares += value * value;
    }
    var histogram =
        new Message()
            .wide(1, all.getMin())
            .wide(2, all.getMax())
            .wide(3, finite.length)
            .wide(4, all.getSum())
            .wide(5, squares)
            .wides(6, limits)
            .wides(7, buckets);
    summary(step, new Message().text(1, tag).message(5, histogram));
  }

  /// Appends an image that is encoded as a PNG file, in grey or in colour. Throws
  /// [BadFileException] if it cannot be written.
  public void image(long step, String tag, byte[] png) {
    ByteBuffer header = ByteBuffer.wrap(png, PNG_SIZE, 10); // width, height, bit depth, colour type
    int width = header.getInt();
    int height = header.getInt();
    header.get();
    var image =
        new Message()
            .integer(1, height)
            .integer(2, width)
            .integer(3, header.get() == PNG_GREY ? 1 : 3)
            .bytes(4, MemorySegment.ofArray(png));
    summary(step, new Message().text(1, tag).message(4, image));
  }

  private void summary(long step, Message value) {
    append(event(step).message(5, new Message().message(1, value)));
  }

  private static Message event(long step) {
    return new Message().wide(1, Instant.now().toEpochMilli() / 1000.0).integer(2, step);
  }

  private void append(Message event) {
    try {
      var bytes = new ByteArrayOutputStream();
      event.writeTo(bytes);
      byte[] data = bytes.toByteArray();
      var frame = ByteBuffer.allocate(16 + data.length).order(ByteOrder.LITTLE_ENDIAN);
      frame.putLong(data.length);
      frame.putInt(masked(Arrays.copyOf(frame.array(), 8)));
      frame.put(data).putInt(masked(data));
      Files.write(file, frame.array(), StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new BadFileException(
          file, "the events cannot be written: %s".formatted(AtomicFile.reason(e)), e);
    }
  }

  /// Returns the masked CRC-32C: rotated by 15 bits, plus a constant. The mask is there because the
  /// checksum of data that contains checksums is weak.
  private static int masked(byte[] data) {
    var crc = new CRC32C();
    crc.update(data);
    return Integer.rotateRight((int) crc.getValue(), 15) + MASK;
  }
}
