package fathom.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.Shape;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// ONNX models by hand, and what is read of them; field numbers are those of onnx.proto.
class OnnxTensorsTest {
  private static final int FLOAT = 1;
  private static final int INT64 = 7;
  private static final int FLOAT16 = 10;
  private static final int RAW = 9;

  @TempDir private Path folder;

  private static byte[] bytes(Message message) {
    var out = new ByteArrayOutputStream();
    try {
      message.writeTo(out);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return out.toByteArray();
  }

  private static Message tensor(String name, int type, long... sizes) {
    var tensor = new Message();
    for (long size : sizes) {
      tensor.integer(1, size);
    }
    return tensor.integer(2, type).text(8, name);
  }

  private static MemorySegment floats(float... values) {
    return MemorySegment.ofArray(MemorySegment.ofArray(values).toArray(ValueLayout.JAVA_BYTE));
  }

  private static MemorySegment raw(int... bytes) {
    byte[] all = new byte[bytes.length];
    for (int i = 0; i < all.length; i++) {
      all[i] = (byte) bytes[i];
    }
    return MemorySegment.ofArray(all);
  }

  private static Message model(Message... tensors) {
    var graph = new Message().message(1, new Message().text(4, "Relu")).text(2, "graph");
    for (Message tensor : tensors) {
      graph.message(5, tensor);
    }
    return new Message().integer(1, 10).text(2, "by hand").message(7, graph);
  }

  private Path file(byte[] content) {
    return Fixture.write(folder.resolve("net"), content);
  }

  private static Object values(TensorFile file, String name) {
    try (Arena arena = Arena.ofConfined()) {
      StoredTensor tensor = file.widened(name, arena);
      return tensor.type() == DType.INT64
          ? tensor.bytes().toArray(ValueLayout.JAVA_LONG_UNALIGNED)
          : tensor.type() == DType.FLOAT32
              ? tensor.bytes().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED)
              : tensor.bytes().toArray(ValueLayout.JAVA_DOUBLE_UNALIGNED);
    }
  }

  /// Every way in which numbers may stand in a tensor.
  @Test
  void numbersAreReadInEveryForm() {
    Path file =
        file(
            bytes(
                model(
                        tensor("raw", FLOAT, 3).bytes(RAW, floats(1, -2, 0.5f)),
                        tensor("packed", FLOAT, 1, 2).bytes(4, floats(3, 4)),
                        tensor("double", 11, 1).wides(10, 0.1),
                        tensor("long", INT64, 3).bytes(7, raw(1, 0x80, 1, 0)),
                        tensor("minus", INT64, 1)
                            .bytes(7, raw(255, 255, 255, 255, 255, 255, 255, 255, 255, 1)),
                        tensor("half", FLOAT16, 2).bytes(5, raw(0x80, 0x78, 0x80, 0x80, 3)),
                        tensor("rawhalf", FLOAT16, 1).bytes(RAW, raw(0, 0xc0)),
                        tensor("brain", 16, 1).bytes(RAW, raw(0x40, 0xc0)),
                        tensor("truth", 9, 2).bytes(RAW, raw(1, 0)),
                        tensor("one", FLOAT).bytes(RAW, floats(7)),
                        tensor("none", FLOAT, 2, 0),
                        new Message() // sizes may be packed
                            .bytes(1, raw(2, 1))
                            .integer(2, FLOAT)
                            .text(8, "sizes")
                            .bytes(RAW, floats(8, 9)))
                    .message(14, new Message().text(1, "fathom.model").text(2, "resnet8"))));
    try (TensorFile stored = TensorFile.open(file)) {
      assertEquals("ONNX", stored.format());
      assertEquals(12, stored.names().size());
      assertEquals(Map.of("fathom.model", "resnet8"), stored.metadata());
      assertArrayEquals(new float[] {1, -2, 0.5f}, (float[]) values(stored, "raw"));
      assertArrayEquals(new float[] {3, 4}, (float[]) values(stored, "packed"));
      assertArrayEquals(new double[] {0.1}, (double[]) values(stored, "double"));
      assertArrayEquals(new long[] {1, 128, 0}, (long[]) values(stored, "long"));
      assertArrayEquals(new long[] {-1}, (long[]) values(stored, "minus"));
      // 0x3c00 and 0xc000 as whole numbers
      assertArrayEquals(new float[] {1, -2}, (float[]) values(stored, "half"));
      assertArrayEquals(new float[] {-2}, (float[]) values(stored, "rawhalf"));
      assertArrayEquals(new float[] {-3}, (float[]) values(stored, "brain"));
      assertArrayEquals(new long[] {1, 0}, (long[]) values(stored, "truth"));
      assertArrayEquals(new float[] {7}, (float[]) values(stored, "one"));
      assertEquals(Shape.of(2, 0), stored.shape("none"));
      assertEquals(Shape.of(2, 1), stored.shape("sizes"));
      assertEquals("F16", stored.type("half"));
    }
  }

  @Test
  void whatIsNotReadIsRefusedWithTheTensor() {
    Message external =
        tensor("w", FLOAT, 1)
            .message(13, new Message().text(1, "location").text(2, "../../etc/passwd"))
            .integer(14, 1);
    assertRefused(model(external), "'w': its numbers are in another file");
    assertRefused(
        model(tensor("w", FLOAT, 1).integer(14, 1)), "'w': its numbers are in another file");
    assertRefused(model(tensor("w", 8, 1).text(6, "x")), "it has texts");
    assertRefused(model(tensor("w", 22, 1).bytes(RAW, raw(1))), "ONNX's data type 22");
    assertRefused(model(tensor("w", FLOAT, 2).bytes(RAW, floats(1))), "takes 8 bytes of F32");
    assertRefused(model(tensor("w", INT64, 3).bytes(7, raw(1, 1))), "takes 3 numbers of I64");
    assertRefused(model(tensor("w", FLOAT, 1).bytes(7, raw(1))), "field 7, but are F32");
    assertRefused(
        model(tensor("w", FLOAT, 1L << 40, 1L << 40).bytes(RAW, floats(1))), "can be counted");
    assertRefused(model(tensor("w", FLOAT, -1).bytes(RAW, floats(1))), "the size -1");
    assertRefused(
        model(tensor("w", FLOAT, IntStream.range(0, 65).mapToLong(_ -> 1).toArray())),
        "in dimension 64");
    assertRefused(
        model(tensor("w", FLOAT, 2).bytes(4, floats(1)).bytes(4, floats(2))), "several pieces");
    assertRefused(
        model(tensor("w", FLOAT, 0), tensor("w", FLOAT, 0)), "there are two of this name");
    assertRefused(new Message().integer(1, 10).text(2, "x"), "no graph");
    assertRefused(
        new Message().integer(1, 10).message(7, new Message()).message(7, new Message()),
        "this has two");
    assertRefused(
        new Message().integer(1, 10).message(7, new Message().message(15, new Message())),
        "sparse tensors");
    assertRefused(
        new Message()
            .integer(1, 10)
            .bytes(2, raw(0xc3))
            .message(7, new Message().bytes(5, raw(66, 1, 0xc3))),
        "no UTF-8");
  }

  private void assertRefused(Message model, String why) {
    Path file = file(bytes(model));
    var e = assertThrows(BadFileException.class, () -> TensorFile.open(file).close());
    assertTrue(e.getMessage().contains(why), e::getMessage);
    assertTrue(e.getMessage().contains(file.toString()), e::getMessage);
  }

  @Test
  void everyPartOfAModelIsRefused() {
    byte[] whole = bytes(model(tensor("w", FLOAT, 2).bytes(RAW, floats(1, 2))));
    for (int length : List.of(4, 12, whole.length / 2, whole.length - 1)) {
      Path file = file(Arrays.copyOf(whole, length));
      assertThrows(BadFileException.class, () -> TensorFile.open(file).close(), "of " + length);
    }
  }

  /// A safetensors file may begin with the same bytes: the '{' of its header tells it.
  @Test
  void aHeaderIsNoModel() {
    String blanks = " ".repeat(0x120a08 - 2);
    Path file = file(Fixture.file("{}" + blanks, ""));
    try (TensorFile stored = TensorFile.open(file)) {
      assertEquals("safetensors", stored.format());
    }
  }
}
