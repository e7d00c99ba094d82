package fathom.io;

import fathom.DType;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.Map;
import java.util.SequencedMap;
import java.util.zip.CRC32;
import java.util.zip.CheckedOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/// Writes tensors as `torch.save` writes a state dictionary: an uncompressed zip archive of a
/// pickle, which describes the tensors, and a file for each tensor's elements. `torch.load` reads
/// it, also with `weights_only=True`.
///
/// [StateDictionary] reads them. The same tensors produce the same bytes.
public final class TorchFile {
  /// The alignment of the elements in the file, so that it can be mapped.
  private static final int ALIGNMENT = 64;

  /// The number of bytes before an entry's name in a zip file, and before the content of an extra
  /// field.
  private static final int ENTRY_HEAD = 30;

  private static final int EXTRA_HEAD = 4;

  /// The number of the extra field that PyTorch uses for padding: `FB`.
  private static final byte[] PADDING = {'F', 'B'};

  /// The time of all entries. It is not the time of writing, so that the same tensors produce the
  /// same bytes.
  private static final LocalDateTime SOME_TIME = LocalDateTime.of(1980, 2, 1, 0, 0);

  private final Counted out;
  private final ZipOutputStream zip;

  private TorchFile(OutputStream out) {
    this.out = new Counted(out);
    this.zip = new ZipOutputStream(this.out);
  }

  /// Writes the tensors under their names, in their order, and puts the file in the place of
  /// `file`, completely or not at all, as [AtomicFile] does. Throws [fathom.io.BadFileException] if
  /// the file cannot be written.
  public static void write(Path file, SequencedMap<String, StoredTensor> tensors) {
    AtomicFile.replace(file, stream -> new TorchFile(stream).write(tensors));
  }

  private void write(SequencedMap<String, StoredTensor> tensors) throws IOException {
    entry("data.pkl", pickled(tensors));
    entry(".format_version", "1".getBytes(StandardCharsets.US_ASCII));
    entry(".storage_alignment", Integer.toString(ALIGNMENT).getBytes(StandardCharsets.US_ASCII));
    entry("byteorder", "little".getBytes(StandardCharsets.US_ASCII));
    int i = 0;
    for (StoredTensor tensor : tensors.sequencedValues()) {
      var sum = new CRC32();
      Checksum.copy(tensor.bytes(), new CheckedOutputStream(OutputStream.nullOutputStream(), sum));
      begin("data/" + i, tensor.bytes().byteSize(), sum);
      Checksum.copy(tensor.bytes(), zip);
      zip.closeEntry();
      i++;
    }
    entry("version", "3\n".getBytes(StandardCharsets.US_ASCII));
    zip.finish();
    zip.flush();
  }

  private void entry(String name, byte[] content) throws IOException {
    var sum = new CRC32();
    sum.update(content);
    begin(name, content.length, sum);
    zip.write(content);
    zip.closeEntry();
  }

  private void begin(String name, long size, CRC32 sum) throws IOException {
    var entry = new ZipEntry("archive/" + name);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(size);
    entry.setCompressedSize(size);
    entry.setCrc(sum.getValue());
    entry.setTimeLocal(SOME_TIME);
    long start = out.count + ENTRY_HEAD + entry.getName().length() + EXTRA_HEAD;
    int padding = (int) Math.floorMod(-start, (long) ALIGNMENT);
    byte[] extra = new byte[EXTRA_HEAD + padding];
    extra[0] = PADDING[0];
    extra[1] = PADDING[1];
    extra[2] = (byte) padding;
    entry.setExtra(extra);
    zip.putNextEntry(entry);
  }

  private static byte[] pickled(SequencedMap<String, StoredTensor> tensors) {
    var pickle = new Pickle().emptyDictionary().mark();
    int i = 0;
    for (Map.Entry<String, StoredTensor> each : tensors.sequencedEntrySet()) {
      pickle.text(each.getKey());
      tensor(pickle, Integer.toString(i++), each.getValue());
    }
    return pickle.setItems().stop();
  }

  /// Adds a call of the function that makes a tensor from the file of its elements, an offset,
  /// sizes and strides, whether it has a gradient, and hooks.
  private static void tensor(Pickle pickle, String file, StoredTensor tensor) {
    long[] sizes = tensor.shape().toArray();
    long[] strides = new long[sizes.length];
    long stride = 1;
    for (int d = sizes.length - 1; d >= 0; d--) {
      strides[d] = stride;
      stride *= Math.max(1, sizes[d]);
    }
    pickle.global("torch._utils", "_rebuild_tensor_v2").mark();
    pickle.mark().text("storage").global("torch", storage(tensor.type())).text(file).text("cpu");
    pickle.integer(tensor.shape().elements()).tuple().persistent();
    pickle.integer(0).tuple(sizes).tuple(strides).no();
    pickle.global("collections", "OrderedDict").emptyTuple().call().tuple().call();
  }

  private static String storage(DType type) {
    return switch (type) {
      case FLOAT32 -> "FloatStorage";
      case FLOAT64 -> "DoubleStorage";
      case BFLOAT16 -> "BFloat16Storage";
      case INT64 -> "LongStorage";
    };
  }

  /// A stream that counts the bytes that pass through it.
  private static final class Counted extends FilterOutputStream {
    private long count;

    Counted(OutputStream out) {
      super(out);
    }

    @Override
    public void write(int b) throws IOException {
      out.write(b);
      count++;
    }

    @Override
    public void write(byte[] bytes, int from, int length) throws IOException {
      out.write(bytes, from, length);
      count += length;
    }
  }
}
