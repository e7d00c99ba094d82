package fathom.io;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// A message in the wire format of protocol buffers (protobuf.dev, "Encoding"): a sequence of
/// fields, each of which is a field number with its wire type, and then a value.
///
/// It is kept as a list of pieces, so that weights go from their memory to the file without a copy:
/// memory that is added as bytes must live until the message is written. All methods that add a
/// field return this message.
public final class Message {
  /// The most bytes of a message; the format's readers count them in 31 bits.
  public static final long MAX_BYTES = Integer.MAX_VALUE;

  private static final int VARINT = 0;
  private static final int FIXED_64 = 1;
  private static final int DELIMITED = 2;
  private static final int FIXED_32 = 5;

  private final List<MemorySegment> pieces = new ArrayList<>();
  private long size;

  /// Adds a whole number. A negative one takes ten bytes, as the format demands.
  public Message integer(int field, long value) {
    var bytes = ByteBuffer.allocate(20);
    varint(bytes, tag(field, VARINT));
    varint(bytes, value);
    return add(bytes);
  }

  /// Adds a number in single precision.
  public Message number(int field, float value) {
    var bytes = ByteBuffer.allocate(14).order(ByteOrder.LITTLE_ENDIAN);
    varint(bytes, tag(field, FIXED_32));
    bytes.putFloat(value);
    return add(bytes);
  }

  /// Adds a number in double precision.
  public Message wide(int field, double value) {
    var bytes = ByteBuffer.allocate(18).order(ByteOrder.LITTLE_ENDIAN);
    varint(bytes, tag(field, FIXED_64));
    bytes.putDouble(value);
    return add(bytes);
  }

  /// Adds several numbers in double precision, one after the other, as one packed field.
  public Message wides(int field, double... values) {
    var bytes = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (double value : values) {
      bytes.putDouble(value);
    }
    return bytes(field, MemorySegment.ofArray(bytes.array()));
  }

  /// Adds a text in UTF-8.
  public Message text(int field, String text) {
    return bytes(field, MemorySegment.ofArray(text.getBytes(StandardCharsets.UTF_8)));
  }

  /// Adds bytes, without a copy.
  public Message bytes(int field, MemorySegment value) {
    delimit(field, value.byteSize());
    return add(value);
  }

  /// Adds a message inside this one, in its present state. Throws `IllegalArgumentException` if
  /// `inner` is larger than the format allows.
  public Message message(int field, Message inner) {
    delimit(field, inner.checkedSize());
    inner.pieces.forEach(this::add);
    return this;
  }

  private void delimit(int field, long length) {
    var bytes = ByteBuffer.allocate(20);
    varint(bytes, tag(field, DELIMITED));
    varint(bytes, length);
    add(bytes);
  }

  private static long tag(int field, int kind) {
    return (long) field << 3 | kind;
  }

  /// Writes a number with seven bits per byte, the lowest first; the eighth bit says that more
  /// bytes follow.
  private static void varint(ByteBuffer to, long value) {
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      to.put((byte) ((rest & 0x7f) | 0x80));
      rest >>>= 7;
    }
    to.put((byte) rest);
  }

  private Message add(ByteBuffer bytes) {
    return add(MemorySegment.ofBuffer(bytes.flip()));
  }

  private Message add(MemorySegment piece) {
    pieces.add(piece);
    size += piece.byteSize();
    return this;
  }

  private long checkedSize() {
    if (size > MAX_BYTES) {
      throw new IllegalArgumentException(
          "a message of protocol buffers, such as an ONNX file, has at most %s bytes, but this one needs %s; export it as safetensors"
              .formatted(MAX_BYTES, size));
    }
    return size;
  }

  /// Writes the message to `out`. Throws `IllegalArgumentException` if the message is larger than
  /// the format allows.
  public void writeTo(OutputStream out) throws IOException {
    checkedSize();
    WritableByteChannel channel = Channels.newChannel(out);
    for (MemorySegment piece : pieces) {
      channel.write(piece.asByteBuffer());
    }
  }
}
