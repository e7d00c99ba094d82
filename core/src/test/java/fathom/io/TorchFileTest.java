package fathom.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.Shape;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.zip.ZipFile;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.ByteVector;
import org.bytedeco.pytorch.GenericDict;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What is written is read by libtorch's own reader of `torch.save`, and by Python's where
/// `FATHOM_PEERS` names an environment that has it.
class TorchFileTest {
  @TempDir private Path folder;

  private static StoredTensor floats(Shape shape, float first) {
    var bytes = ByteBuffer.allocate((int) shape.elements() * 4).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < shape.elements(); i++) {
      bytes.putFloat(first + i);
    }
    return new StoredTensor(DType.FLOAT32, shape, MemorySegment.ofBuffer(bytes.flip()));
  }

  private static StoredTensor wide(DType type, long bits) {
    byte[] bytes = new byte[8];
    MemorySegment.ofArray(bytes).set(ValueLayout.JAVA_LONG_UNALIGNED, 0, bits);
    return new StoredTensor(type, Shape.of(), MemorySegment.ofArray(bytes));
  }

  private static SequencedMap<String, StoredTensor> tensors() {
    var tensors = new LinkedHashMap<String, StoredTensor>();
    tensors.put("layer1.0.conv1.weight", floats(Shape.of(3, 2, 5), 0.5f));
    tensors.put("ö", floats(Shape.of(7), -3));
    tensors.put("none", floats(Shape.of(4, 0, 2), 0));
    tensors.put("number", wide(DType.INT64, 1L << 40));
    tensors.put("precise", wide(DType.FLOAT64, Double.doubleToLongBits(0.1)));
    tensors.put(
        "half",
        new StoredTensor(
            DType.BFLOAT16, Shape.of(1, 1), MemorySegment.ofArray(new byte[] {(byte) 0xc0, 0x3f})));
    return tensors;
  }

  private Path written() {
    Path file = folder.resolve("net.pt");
    TorchFile.write(file, tensors());
    return file;
  }

  @Test
  void libtorchReadsIt() throws IOException {
    byte[] all = Files.readAllBytes(written());
    try (var _ = new PointerScope()) {
      var vector = new ByteVector(all.length);
      for (int i = 0; i < all.length; i++) {
        vector.put(i, all[i]);
      }
      GenericDict read = torch.pickle_load(vector).toGenericDict();
      assertEquals(6, read.size());
      Tensor weight = read.at(new IValue("layer1.0.conv1.weight")).toTensor();
      assertArrayEquals(new long[] {3, 2, 5}, weight.sizes().vec().get());
      assertTrue(weight.is_contiguous());
      for (int i = 0; i < 30; i++) {
        assertEquals(0.5f + i, weight.data_ptr_float().get(i));
      }
      assertEquals(3, read.at(new IValue("ö")).toTensor().data_ptr_float().get(6));
      assertArrayEquals(
          new long[] {4, 0, 2}, read.at(new IValue("none")).toTensor().sizes().vec().get());
      assertEquals(1L << 40, read.at(new IValue("number")).toTensor().item_long());
      assertEquals(0.1, read.at(new IValue("precise")).toTensor().item_double());
      assertEquals(1.5, read.at(new IValue("half")).toTensor().item_double());
    }
  }

  @Test
  void pythonReadsIt() throws IOException, InterruptedException {
    String home = System.getenv("FATHOM_PEERS");
    Assumptions.assumeTrue(home != null, "FATHOM_PEERS names no Python with torch");
    String program =
        """
        import sys, torch
        d = torch.load(sys.argv[1], weights_only=True)
        m = torch.load(sys.argv[1], weights_only=True, mmap=True)
        w = d["layer1.0.conv1.weight"]
        assert list(d) == ["layer1.0.conv1.weight", "ö", "none", "number", "precise", "half"], list(d)
        assert torch.equal(w, torch.arange(30).reshape(3, 2, 5) + 0.5) and torch.equal(w, m["layer1.0.conv1.weight"])
        assert not w.requires_grad and w.dtype is torch.float32
        assert m["layer1.0.conv1.weight"].data_ptr() % 64 == 0
        assert d["ö"].tolist() == [-3, -2, -1, 0, 1, 2, 3]
        assert d["none"].shape == (4, 0, 2) and d["number"].item() == 1 << 40
        assert d["precise"].item() == 0.1 and d["half"].dtype is torch.bfloat16 and d["half"].item() == 1.5
        print("right")
        """;
    var process =
        new ProcessBuilder(Path.of(home, "bin", "python").toString(), "-", written().toString())
            .redirectErrorStream(true)
            .start();
    try (var in = process.outputWriter(StandardCharsets.UTF_8)) {
      in.write(program);
    }
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    assertEquals("right", said.strip());
  }

  /// Every tensor's elements can be mapped, and every reader of zip files gets them.
  @Test
  void elementsLieAtMultiplesOf64() throws IOException {
    byte[] all = Files.readAllBytes(written());
    try (var zip = new ZipFile(folder.resolve("net.pt").toFile())) {
      int i = 0;
      for (StoredTensor tensor : tensors().values()) {
        byte[] expected = tensor.bytes().toArray(ValueLayout.JAVA_BYTE);
        var entry = zip.getEntry("archive/data/" + i++);
        assertArrayEquals(expected, zip.getInputStream(entry).readAllBytes());
      }
    }
    float[] pattern = {-3, -2, -1};
    var bytes = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN);
    for (float f : pattern) {
      bytes.putFloat(f);
    }
    String text = new String(all, StandardCharsets.ISO_8859_1);
    int at = text.indexOf(new String(bytes.array(), StandardCharsets.ISO_8859_1));
    assertTrue(at > 0 && at % 64 == 0, "at " + at);
  }

  @Test
  void theSameTensorsMakeTheSameBytes() throws IOException {
    byte[] first = Files.readAllBytes(written());
    assertArrayEquals(first, Files.readAllBytes(written()));
  }
}
