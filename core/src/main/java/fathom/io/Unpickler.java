package fathom.io;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Reads what a pickle (PEP 307, protocols 2 to 5) describes, without running anything.
///
/// Python's own machine calls whatever function a pickle names. This one knows a closed list of
/// opcodes, and a name stays a name: [TorchObjects] makes tensors and dictionaries of the few calls
/// that it knows, and all others become [Pickled.Opaque]. What a pickle can use is bounded: the
/// length of a text, the number of opcodes, and no opcode does more work than its own operands.
final class Unpickler {
  /// The most opcodes; a tensor of a state dictionary takes about thirty.
  private static final int MOST_OPCODES = 8_000_000;

  private static final int LONGEST_TEXT = 1 << 24;
  private static final int LONGEST_NAME = 1000;
  private static final int NEWEST_PROTOCOL = 5;

  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong BIG_ENDIAN_LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  private final Path file;
  private final MemorySegment bytes;
  private final TorchObjects objects;
  private final List<Pickled> stack = new ArrayList<>();
  private final List<Integer> marks = new ArrayList<>();
  private final Map<Long, Pickled> memo = new HashMap<>();
  private long at;
  private long opcodeAt;

  /// Makes a reader of the pickle at `at` in `bytes`; the path is used in messages only.
  Unpickler(Path file, MemorySegment bytes, long at, TorchObjects objects) {
    this.file = file;
    this.bytes = bytes;
    this.at = at;
    this.objects = objects;
  }

  /// Returns where the pickle ended.
  long end() {
    return at;
  }

  /// Returns the value of the pickle. Throws [BadFileException] if it is none, is cut off or uses
  /// an opcode that no file of tensors needs.
  Pickled read() {
    for (int opcodes = 0; opcodes < MOST_OPCODES; opcodes++) {
      opcodeAt = at;
      int opcode = next();
      if (opcode == '.') {
        return pop();
      }
      if (!values(opcode) && !containers(opcode) && !objects(opcode)) {
        throw bad(
            String.format(
                Locale.ROOT, "opcode 0x%02x is none that a state dictionary needs", opcode));
      }
    }
    throw bad("it has more than %s opcodes".formatted(MOST_OPCODES));
  }

  /// Does an opcode that pushes one value or is about the form, and returns whether it was one.
  private boolean values(int opcode) {
    switch (opcode) {
      case 0x80 -> protocol(next()); // PROTO
      case 0x95 -> take(Long.BYTES); // FRAME: how the bytes were buffered
      case 'N' -> push(Pickled.Nothing.NOTHING);
      case 0x88 -> push(new Pickled.Truth(true));
      case 0x89 -> push(new Pickled.Truth(false));
      case 'K' -> push(new Pickled.Whole(next()));
      case 'M' -> push(new Pickled.Whole(next() | next() << 8));
      case 'J' -> push(new Pickled.Whole(integer()));
      case 0x8a -> push(huge(next())); // LONG1
      case 0x8b -> push(huge(integer())); // LONG4
      case 'G' ->
          push(new Pickled.Real(Double.longBitsToDouble(bytes.get(BIG_ENDIAN_LONG, take(8)))));
      case 'X' -> push(text(Integer.toUnsignedLong(integer())));
      case 0x8c -> push(text(next())); // SHORT_BINUNICODE
      case 0x8d -> push(text(bytes.get(LONG, take(Long.BYTES)))); // BINUNICODE8
      case 'T' -> push(text(Integer.toUnsignedLong(integer())));
      case 'U' -> push(text(next()));
      case 'B' -> skipped(Integer.toUnsignedLong(integer()));
      case 'C' -> skipped(next());
      case 0x8e, 0x96 -> skipped(bytes.get(LONG, take(Long.BYTES))); // BINBYTES8, BYTEARRAY8
      default -> {
        return false;
      }
    }
    return true;
  }

  /// Does an opcode that makes or fills a container, or moves values, and returns whether it was
  /// one.
  private boolean containers(int opcode) {
    switch (opcode) {
      case '(' -> marks.add(stack.size());
      case '0' -> pop();
      case '1' -> sinceMark();
      case '2' -> push(top());
      case '}' -> push(new Pickled.Dictionary());
      case ']', 0x8f -> push(new Pickled.Items()); // EMPTY_LIST, EMPTY_SET
      case ')' -> push(new Pickled.Tuple(List.of()));
      case 't' -> push(new Pickled.Tuple(sinceMark()));
      case 0x85 -> push(tuple(1));
      case 0x86 -> push(tuple(2));
      case 0x87 -> push(tuple(3));
      case 'l', 0x91 -> { // LIST, FROZENSET
        var list = new Pickled.Items();
        list.add(sinceMark());
        push(list);
      }
      case 'd' -> {
        List<Pickled> pairs = sinceMark();
        push(new Pickled.Dictionary());
        set(pairs);
      }
      case 's' -> set(tuple(2).items());
      case 'u' -> set(sinceMark());
      case 'a' -> add(tuple(1).items());
      case 'e', 0x90 -> add(sinceMark()); // APPENDS, ADDITEMS
      case 'q' -> memo.put((long) next(), top());
      case 'r' -> memo.put(Integer.toUnsignedLong(integer()), top());
      case 0x94 -> memo.put((long) memo.size(), top()); // MEMOIZE
      case 'h' -> push(remembered(next()));
      case 'j' -> push(remembered(Integer.toUnsignedLong(integer())));
      default -> {
        return false;
      }
    }
    return true;
  }

  /// Does an opcode that in Python looks up a name, makes an object or changes one, and returns
  /// whether it was one.
  private boolean objects(int opcode) {
    switch (opcode) {
      case 'c' -> push(new Pickled.Global(line() + "." + line()));
      case 0x93 -> { // STACK_GLOBAL
        Pickled name = pop();
        push(new Pickled.Global(text(pop()) + "." + text(name)));
      }
      case 'R', 0x81 -> { // REDUCE, NEWOBJ
        Pickled arguments = pop();
        push(objects.call(pop(), arguments));
      }
      case 0x92 -> { // NEWOBJ_EX, with named arguments, which no known call has
        List<Pickled> parts = tuple(3).items();
        push(objects.call(parts.getFirst(), parts.get(1)));
      }
      case 'b' -> { // BUILD
        Pickled state = pop();
        push(objects.built(pop(), state));
      }
      case 'Q' -> push(objects.persistent(pop()));
      default -> {
        return false;
      }
    }
    return true;
  }

  private void protocol(int protocol) {
    if (protocol > NEWEST_PROTOCOL) {
      throw bad(
          "it has protocol %s, and the newest that is known is %s"
              .formatted(protocol, NEWEST_PROTOCOL));
    }
  }

  private void set(List<Pickled> pairs) {
    if (pairs.size() % 2 != 0) {
      throw bad(
          "a dictionary has keys and values, but here are %s together".formatted(pairs.size()));
    }
    switch (top()) {
      case Pickled.Dictionary dictionary -> {
        for (int i = 0; i < pairs.size(); i += 2) {
          dictionary.put(pairs.get(i), pairs.get(i + 1));
        }
      }
      case Pickled.Opaque opaque -> replaceTop(objects.grown(opaque, pairs));
      case Pickled other -> throw bad("%s has no keys".formatted(other.described()));
    }
  }

  private void add(List<Pickled> items) {
    switch (top()) {
      case Pickled.Items list -> list.add(items);
      case Pickled.Opaque opaque -> replaceTop(objects.grown(opaque, items));
      case Pickled other -> throw bad("%s takes no items".formatted(other.described()));
    }
  }

  private void replaceTop(Pickled value) {
    stack.set(stack.size() - 1, value);
  }

  private Pickled remembered(long key) {
    Pickled value = memo.get(key);
    if (value == null) {
      throw bad("it recalls value %s, which it never stored".formatted(key));
    }
    return value;
  }

  private void push(Pickled value) {
    stack.add(value);
  }

  private Pickled pop() {
    Pickled top = top();
    stack.removeLast();
    return top;
  }

  /// Returns the value on top; those below a mark are out of reach until it is used.
  private Pickled top() {
    if (stack.size() <= (marks.isEmpty() ? 0 : marks.getLast())) {
      throw bad("it takes a value, but there is none");
    }
    return stack.getLast();
  }

  private Pickled.Tuple tuple(int size) {
    if (stack.size() - (marks.isEmpty() ? 0 : marks.getLast()) < size) {
      throw bad("it takes %s values, but there are not so many".formatted(size));
    }
    return new Pickled.Tuple(taken(stack.size() - size));
  }

  private List<Pickled> sinceMark() {
    if (marks.isEmpty()) {
      throw bad("it takes the values since a mark, but there is none");
    }
    return taken(marks.removeLast());
  }

  private List<Pickled> taken(int from) {
    List<Pickled> above = stack.subList(from, stack.size());
    var taken = List.copyOf(above);
    above.clear();
    return taken;
  }

  private String text(Pickled value) {
    if (value instanceof Pickled.Text text && text.value().length() <= LONGEST_NAME) {
      return text.value();
    }
    throw bad("the name of a global is a short text, but is " + value.described());
  }

  private Pickled text(long length) {
    return new Pickled.Text(new String(block(length), StandardCharsets.UTF_8));
  }

  private byte[] block(long length) {
    if (length < 0 || length > LONGEST_TEXT) {
      throw bad(
          "a text has at most %s bytes, but this one %s"
              .formatted(LONGEST_TEXT, Long.toUnsignedString(length)));
    }
    return bytes.asSlice(take(length), length).toArray(ValueLayout.JAVA_BYTE);
  }

  private void skipped(long length) {
    take(length);
    push(new Pickled.Opaque("bytes", false));
  }

  /// Returns a number of so many bytes, little-endian, in two's complement.
  private Pickled huge(int length) {
    byte[] digits = block(length);
    for (int i = 0, j = digits.length - 1; i < j; i++, j--) {
      byte low = digits[i];
      digits[i] = digits[j];
      digits[j] = low;
    }
    var value = digits.length == 0 ? BigInteger.ZERO : new BigInteger(digits);
    return value.bitLength() < Long.SIZE
        ? new Pickled.Whole(value.longValue())
        : new Pickled.Huge(value);
  }

  private String line() {
    long end = at;
    while (end < bytes.byteSize() && bytes.get(ValueLayout.JAVA_BYTE, end) != '\n') {
      end++;
      if (end - at > LONGEST_NAME) {
        throw bad("the name of a global has more than %s bytes".formatted(LONGEST_NAME));
      }
    }
    String line = new String(block(end - at), StandardCharsets.UTF_8);
    next();
    return line;
  }

  private int next() {
    return Byte.toUnsignedInt(bytes.get(ValueLayout.JAVA_BYTE, take(1)));
  }

  private int integer() {
    return bytes.get(INT, take(Integer.BYTES));
  }

  /// Returns the position of the next `length` bytes, and goes behind them.
  private long take(long length) {
    if (length < 0 || length > bytes.byteSize() - at) {
      throw bad(
          "it goes on for %s bytes, but only %s are left; was it cut off?"
              .formatted(Long.toUnsignedString(length), bytes.byteSize() - at));
    }
    long from = at;
    at += length;
    return from;
  }

  private BadFileException bad(String problem) {
    return new BadFileException(
        file,
        "its pickle cannot be read, at byte %s: %s; is the file damaged, or of another kind?"
            .formatted(opcodeAt, problem));
  }
}
