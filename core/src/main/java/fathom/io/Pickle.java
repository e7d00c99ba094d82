package fathom.io;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/// A program for Python's pickle machine, protocol 2 (PEP 307): a sequence of orders that put
/// values on a stack and make others of them. Each method is one order, or those of one value; what
/// the orders mean is in the comments of Python's `pickletools`.
final class Pickle {
  private final ByteArrayOutputStream orders = new ByteArrayOutputStream();

  Pickle() {
    add(0x80).add(2);
  }

  private Pickle add(int order) {
    orders.write(order);
    return this;
  }

  private Pickle add(byte[] argument) {
    orders.writeBytes(argument);
    return this;
  }

  private static ByteBuffer little(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  Pickle emptyDictionary() {
    return add('}');
  }

  Pickle emptyTuple() {
    return add(')');
  }

  /// Where a tuple or a list of items begins.
  Pickle mark() {
    return add('(');
  }

  /// A tuple of what stands behind the last mark.
  Pickle tuple() {
    return add('t');
  }

  Pickle tuple(long... values) {
    mark();
    for (long value : values) {
      integer(value);
    }
    return tuple();
  }

  /// Puts the keys and values behind the last mark into the dictionary before it.
  Pickle setItems() {
    return add('u');
  }

  Pickle text(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return add('X').add(little(Integer.BYTES).putInt(bytes.length).array()).add(bytes);
  }

  Pickle integer(long value) {
    return value == (int) value
        ? add('J').add(little(Integer.BYTES).putInt((int) value).array())
        : add(0x8a).add(Long.BYTES).add(little(Long.BYTES).putLong(value).array());
  }

  /// False.
  Pickle no() {
    return add(0x89);
  }

  /// A class or function by its name.
  Pickle global(String module, String name) {
    return add(("c" + module + "\n" + name + "\n").getBytes(StandardCharsets.US_ASCII));
  }

  /// Calls the function below the tuple of its arguments.
  Pickle call() {
    return add('R');
  }

  /// What the reader knows by this tuple.
  Pickle persistent() {
    return add('Q');
  }

  byte[] stop() {
    return add('.').orders.toByteArray();
  }
}
