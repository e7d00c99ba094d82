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

/// A file of events as TensorBoard reads it: `Event` messages (tensorflow/core/util/event.proto and
/// framework/summary.proto), each in a frame of TFRecord: its length in 8 bytes, the masked CRC-32C
/// of these, the message, the masked CRC-32C of it; all little-endian.
///
/// Each event is appended as it comes. A file whose end was cut off is read to the last whole one.
public final class EventFile {
  /// Where a PNG file says how large its image is.
  private static final int PNG_SIZE = 16;

  private static final int PNG_GREY = 0;

  /// What TensorBoard looks for in the name of a file.
  private static final String MARK = "events.out.tfevents";

  /// `Event.session_log`, and its status `START`.
  private static final int SESSION = 7;

  private static final int STARTS = 1;

  private static final int MASK = 0xa282ead8;
  private static final int BUCKETS = 64;

  private final Path file;

  private EventFile(Path file) {
    this.file = file;
  }

  /// Begins a file in `folder`, which is made if need be, beside those that are there, which
  /// TensorBoard reads before it, in the order of their names. Where `from` is more than 0 the file
  /// says first that a session starts at this step, and TensorBoard forgets what the others have
  /// from this step on: of files of this version that is the only thing that makes it forget, steps
  /// that go back do not. Throws [BadFileException] if that cannot be written.
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

  public Path path() {
    return file;
  }

  public void scalar(long step, String tag, double value) {
    summary(step, new Message().text(1, tag).number(2, (float) value));
  }

  /// How the values are spread over 64 equal stretches between the least and the most; those that
  /// are not finite are left out. Nothing is written for none.
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

  /// An image that is encoded as PNG, grey or in colour.
  public void image(long step, String tag, byte[] png) {
    ByteBuffer header =
        ByteBuffer.wrap(png, PNG_SIZE, 10); // width, height, bits and kind of colour
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

  /// Turned by 15 bits, plus a constant: the sum of data that holds sums is weak.
  private static int masked(byte[] data) {
    var crc = new CRC32C();
    crc.update(data);
    return Integer.rotateRight((int) crc.getValue(), 15) + MASK;
  }
}
