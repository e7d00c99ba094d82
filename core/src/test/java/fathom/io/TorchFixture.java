package fathom.io;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/// Files of `torch.save` made by hand, opcode by opcode, as PEP 307 and torch's sources describe
/// them; independent of what [TorchFile] writes.
final class TorchFixture {
  private static final HexFormat HEX = HexFormat.of();

  /// The first three pickles of the legacy form: magic number, protocol, types of the writer.
  static final byte[] LEGACY_HEAD =
      joined(
          hex("80028a0a6cfc9c46f9206aa850192e"),
          hex("80024de9032e"),
          hex("80027d28"),
          text("protocol_version"),
          hex("4de903"),
          text("little_endian"),
          hex("88"),
          hex("752e"));

  private TorchFixture() {}

  static byte[] hex(String digits) {
    return HEX.parseHex(digits.replace(" ", ""));
  }

  static byte[] joined(byte[]... parts) {
    var all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  /// `X`, the length, the text.
  static byte[] text(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return joined(new byte[] {'X', (byte) bytes.length, (byte) (bytes.length >> 8), 0, 0}, bytes);
  }

  /// `c`, the module, the name.
  static byte[] global(String module, String name) {
    return ("c" + module + "\n" + name + "\n").getBytes(StandardCharsets.US_ASCII);
  }

  /// A tuple of small numbers.
  static byte[] tuple(int... values) {
    var all = new ByteArrayOutputStream();
    all.write('(');
    for (int value : values) {
      all.write('K');
      all.write(value);
    }
    all.write('t');
    return all.toByteArray();
  }

  /// A storage of `elements` elements: a persistent id.
  static byte[] storage(String type, String key, int elements) {
    return storage(type, key, elements, hex(""));
  }

  static byte[] storage(String type, String key, int elements, byte[] view) {
    return joined(
        hex("28"),
        text("storage"),
        global("torch", type),
        text(key),
        text("cuda:0"),
        new byte[] {'K', (byte) elements},
        view,
        hex("7451"));
  }

  /// A call of `_rebuild_tensor_v2` without gradient and hooks.
  static byte[] tensor(byte[] storage, int offset, int[] sizes, int... strides) {
    return joined(
        global("torch._utils", "_rebuild_tensor_v2"),
        hex("28"),
        storage,
        new byte[] {'K', (byte) offset},
        tuple(sizes),
        tuple(strides),
        hex("89"),
        global("collections", "OrderedDict"),
        hex("2952 7452"));
  }

  /// A whole pickle: protocol 2, the value, the end.
  static byte[] pickle(byte[]... value) {
    return joined(hex("8002"), joined(value), hex("2e"));
  }

  /// A dictionary of the keys and values.
  static byte[] dictionary(byte[]... keysAndValues) {
    return joined(hex("7d28"), joined(keysAndValues), hex("75"));
  }

  /// A legacy file of the value, its storages in order: key, number of elements, bytes.
  static byte[] legacy(byte[] pickle, Object... storages) {
    var keys = new ByteArrayOutputStream();
    var data = new ByteArrayOutputStream();
    for (int i = 0; i < storages.length; i += 3) {
      keys.writeBytes(text((String) storages[i]));
      data.write((Integer) storages[i + 1]);
      data.writeBytes(new byte[7]);
      data.writeBytes((byte[]) storages[i + 2]);
    }
    return joined(
        LEGACY_HEAD,
        pickle,
        pickle(hex("5d28"), keys.toByteArray(), hex("65")),
        data.toByteArray());
  }

  /// A zip archive of the value, its storages in order: key, bytes.
  static byte[] zip(byte[] pickle, Object... storages) {
    var entries = new LinkedHashMap<String, byte[]>();
    entries.put("data.pkl", pickle);
    entries.put("byteorder", "little".getBytes(StandardCharsets.US_ASCII));
    for (int i = 0; i < storages.length; i += 2) {
      entries.put("data/" + storages[i], (byte[]) storages[i + 1]);
    }
    return zip("any name", entries, ZipEntry.STORED);
  }

  static byte[] zip(String folder, Map<String, byte[]> entries, int method) {
    var bytes = new ByteArrayOutputStream();
    try (var zip = new ZipOutputStream(bytes)) {
      for (Map.Entry<String, byte[]> each : entries.entrySet()) {
        var entry = new ZipEntry(folder + "/" + each.getKey());
        entry.setMethod(method);
        entry.setSize(each.getValue().length);
        var crc = new CRC32();
        crc.update(each.getValue());
        entry.setCrc(crc.getValue());
        zip.putNextEntry(entry);
        zip.write(each.getValue());
        zip.closeEntry();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }
}
