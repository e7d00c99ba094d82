package fathom.io;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/// Builds a program for Python's pickle machine, protocol 2 (PEP 307): a sequence of opcodes that
/// push values on a stack and combine them. Each method adds one opcode, or those of one value; the
/// comments of Python's `pickletools` say what the opcodes mean.
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

  /// Marks where a tuple or a list of items begins.
  Pickle mark() {
    return add('(');
  }

  /// Makes a tuple of the values after the last mark.
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

  /// Puts the keys and values after the last mark into the dictionary before it.
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

  /// Pushes the value False.
  Pickle no() {
    return add(0x89);
  }

  /// Pushes a class or function, given by its name.
  Pickle global(String module, String name) {
    return add(("c" + module + "\n" + name + "\n").getBytes(StandardCharsets.US_ASCII));
  }

  /// Calls the function below the tuple of its arguments.
  Pickle call() {
    return add('R');
  }

  /// Replaces the tuple on the stack by the object that the reader knows by this tuple.
  Pickle persistent() {
    return add('Q');
  }

  byte[] stop() {
    return add('.').orders.toByteArray();
  }
}
