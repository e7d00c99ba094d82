package fathom.io;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/// Goes through the fields of a message in the wire format of protocol buffers (protobuf.dev,
/// "Encoding"), which [Message] writes. Nothing is copied: bytes are views of the message.
///
/// A field that ends behind its message, a number of more than ten bytes and a wire type that the
/// format does not have throw [BadFileException]; so does a text that is no UTF-8.
final class Fields {
  static final int VARINT = 0;
  static final int FIXED_64 = 1;
  static final int DELIMITED = 2;
  static final int FIXED_32 = 5;

  private static final int TYPE_BITS = 3;
  private static final int LOW = 0x7f;
  private static final int BITS = 7;

  private final Path file;
  private final MemorySegment message;
  private long at;
  private int number;
  private int type;
  private long value;
  private MemorySegment bytes;

  Fields(Path file, MemorySegment message) {
    this.file = file;
    this.message = message;
    this.bytes = message.asSlice(0, 0);
  }

  /// Goes to the next field, and returns whether there is one.
  boolean next() {
    if (at == message.byteSize()) {
      return false;
    }
    long tag = varint();
    number = (int) (tag >>> TYPE_BITS);
    type = (int) (tag & ((1 << TYPE_BITS) - 1));
    if (number == 0 || tag >>> TYPE_BITS > Integer.MAX_VALUE) {
      throw damaged("a field has the number %s".formatted(tag >>> TYPE_BITS));
    }
    switch (type) {
      case VARINT -> value = varint();
      case DELIMITED -> bytes = slice(varint());
      case FIXED_64 -> bytes = slice(Long.BYTES);
      case FIXED_32 -> bytes = slice(Integer.BYTES);
      default -> throw damaged("a field has the wire type " + type);
    }
    return true;
  }

  /// Returns the number of the field.
  int number() {
    return number;
  }

  /// Returns whether the field is a single whole number; otherwise it has [#bytes()].
  boolean isNumber() {
    return type == VARINT;
  }

  /// Returns the whole number of this field.
  long value() {
    expect(VARINT);
    return value;
  }

  /// Returns what the field holds, which is a message, a text, or numbers one behind the other.
  MemorySegment bytes() {
    expect(DELIMITED);
    return bytes;
  }

  /// Returns the fields of the message in this field.
  Fields message() {
    return new Fields(file, bytes());
  }

  /// Returns the text of this field, which must have at most `most` bytes.
  String text(int most) {
    MemorySegment text = bytes();
    if (text.byteSize() > most) {
      throw damaged("a text has %s bytes, but at most %s".formatted(text.byteSize(), most));
    }
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(text.toArray(ValueLayout.JAVA_BYTE)))
          .toString();
    } catch (CharacterCodingException e) {
      throw damaged("a text is no UTF-8");
    }
  }

  private void expect(int expected) {
    if (type != expected) {
      throw damaged(
          "field %s has the wire type %s, but must have %s".formatted(number, type, expected));
    }
  }

  private MemorySegment slice(long length) {
    long room = message.byteSize() - at;
    if (length < 0 || length > room) {
      throw damaged(
          "field %s has %s bytes, but %s follow"
              .formatted(number, Long.toUnsignedString(length), room));
    }
    at += length;
    return message.asSlice(at - length, length);
  }

  /// Reads a number of seven bits per byte, the lowest first; the eighth bit says that more bytes
  /// follow.
  long varint() {
    long read = 0;
    for (int shift = 0; shift < Long.SIZE; shift += BITS) {
      if (at == message.byteSize()) {
        throw damaged("a number ends behind its message");
      }
      byte next = message.get(ValueLayout.JAVA_BYTE, at++);
      read |= (long) (next & LOW) << shift;
      if (next >= 0) {
        return read;
      }
    }
    throw damaged("a number has more than ten bytes");
  }

  /// Returns whether all of the message has been read.
  boolean isAtEnd() {
    return at == message.byteSize();
  }

  private BadFileException damaged(String what) {
    return new BadFileException(
        file, "no ONNX model, or damaged: %s; download or export it again".formatted(what));
  }
}
