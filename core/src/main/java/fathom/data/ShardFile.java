package fathom.data;

import fathom.data.FolderScan.Entry;
import fathom.io.BadFileException;
import fathom.io.Json;
import fathom.io.RegularFile;
import fathom.io.Shown;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarFile;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/// The samples of a shard: a tar file as WebDataset has them, in which members that follow one
/// another and have the same name up to the first dot of its last part are a sample. A sample has
/// an image (`KEY.jpg`, `KEY.png`, ...) and a label, a whole number in `KEY.cls`, or, without that,
/// the number `label` of the object in `KEY.json`. Other members of a sample are ignored.
///
/// Only the headers of members and the labels are read. A shard that Fathom packed has a
/// [ShardNote], by which it is compared.
///
/// @param samples in the order of the shard
/// @param note null for a shard of another program
record ShardFile(Path file, List<Sample> samples, @Nullable ShardNote note) {
  private static final Set<String> IMAGES =
      Set.of("jpg", "jpeg", "jpe", "jfif", "png", "gif", "bmp", "webp");

  private static final int BLOCK = 512;

  /// The most bytes of a label, which may be a JSON object with a caption.
  private static final int MOST_LABEL = 1 << 20;

  private static final int MOST_NOTE = 1 << 26;

  /// An image with its label.
  ///
  /// @param name the name of the member that has the image
  record Sample(String name, Entry image, int label) {}

  /// The place of a member's content.
  private record Member(String name, long from, long size) {}

  /// The members of a sample, by what follows the first dot, in lower case.
  private record Group(String key, long at, Map<String, Member> members) {}

  /// Returns whether a member with this extension is an image.
  static boolean isImage(String extension) {
    return IMAGES.contains(extension);
  }

  /// Reads the headers and labels of a shard. Throws [BadFileException], which names the offset,
  /// for a file that is no tar file, is cut short or damaged, and for samples that lack an image or
  /// a label.
  static ShardFile of(Path file) {
    RegularFile.check(file);
    try (FileChannel channel = FileChannel.open(file)) {
      long modified = Files.getLastModifiedTime(file).toMillis();
      return new Opened(file, channel, modified).read();
    } catch (IOException e) {
      throw new BadFileException(
          file, "the shard cannot be read (%s)".formatted(RegularFile.reason(e)), e);
    }
  }

  private record Opened(Path file, FileChannel channel, long modified) {
    ShardFile read() throws IOException {
      var names = new HashSet<String>();
      var groups = new ArrayList<Group>();
      Set<String> keys = new HashSet<>();
      Member note = null;
      long end = 0;
      for (TarArchiveEntry entry : entries()) {
        Member member = member(entry);
        end = Math.max(end, member.from + (member.size + BLOCK - 1) / BLOCK * BLOCK);
        if (!names.add(member.name)) {
          throw bad(member.from, "there are two members %s".formatted(Shown.name(member.name)));
        }
        if (member.name.equals(ShardNote.MEMBER)) {
          note = member;
        } else if (entry.isFile() && !member.name.startsWith("__")) {
          add(member, groups, keys);
        }
      }
      checkEnd(end);
      var samples = new ArrayList<Sample>();
      for (Group group : groups) {
        samples.add(sample(group));
      }
      if (samples.isEmpty()) {
        throw bad(0, "there is no sample in it, KEY.jpg with KEY.cls");
      }
      return new ShardFile(file, samples, note == null ? null : note(note));
    }

    private List<TarArchiveEntry> entries() throws IOException {
      try {
        // It is not closed, because that would close the channel.
        @SuppressWarnings("resource")
        var tar = new TarFile(channel, BLOCK, BLOCK, StandardCharsets.UTF_8.name(), false);
        return tar.getEntries();
      } catch (IOException | RuntimeException e) { // damage makes the library throw either
        throw bad(
            channel.isOpen() ? channel.position() : 0,
            "it is no tar file, or is damaged or cut short (%s)".formatted(e.getMessage()));
      }
    }

    private Member member(TarArchiveEntry entry) throws IOException {
      String name = entry.getName();
      long from = entry.getDataOffset();
      if (!entry.isCheckSumOK()) {
        throw bad(from, "the header of %s has a wrong checksum".formatted(Shown.name(name)));
      }
      if (!(entry.isFile() || entry.isDirectory())
          || entry.isSparse()
          || entry.isLink()
          || entry.isSymbolicLink()) {
        throw bad(
            from,
            "a shard has plain files, but %s is a link, a device or a sparse file"
                .formatted(Shown.name(name)));
      }
      long size = entry.isDirectory() ? 0 : entry.getSize();
      if (from < BLOCK || size < 0 || size > channel.size() - from) {
        throw bad(
            from,
            "%s is said to have %s bytes, but the file has %s; it is cut short or damaged"
                .formatted(Shown.name(name), size, channel.size()));
      }
      checkName(name, from);
      return new Member(name, from, size);
    }

    private void checkName(String name, long from) {
      boolean leaves =
          name.startsWith("/")
              || name.indexOf('\\') >= 0
              || Stream.of(name.split("/", -1)).anyMatch(part -> part.equals(".."));
      boolean plain = !name.isEmpty() && name.chars().noneMatch(c -> c < ' ' || c == 0x7f);
      if (leaves || !plain) {
        throw bad(
            from,
            "%s is no name of a member: it leads out of the shard, or has characters that no name has"
                .formatted(Shown.name(name)));
      }
    }

    private void add(Member member, List<Group> groups, Set<String> keys) {
      int last = member.name.lastIndexOf('/') + 1;
      int dot = member.name.indexOf('.', last);
      if (dot <= last) {
        return; // without an extension, or hidden: of no sample
      }
      String key = member.name.substring(0, dot);
      Group group = groups.isEmpty() ? null : groups.getLast();
      if (group == null || !group.key.equals(key)) {
        if (!keys.add(key)) {
          throw bad(
              member.from,
              "the members of a sample follow one another, but those of %s do not"
                  .formatted(Shown.name(key)));
        }
        group = new Group(key, member.from, new HashMap<>());
        groups.add(group);
      }
      String extension = member.name.substring(dot + 1).toLowerCase(Locale.ROOT);
      if (group.members.put(extension, member) != null) {
        throw bad(
            member.from,
            "the sample %s has two members with the extension %s"
                .formatted(Shown.name(key), Shown.name(extension)));
      }
    }

    /// A tar file ends with a block of zeros. Without it, a file that was cut between two members
    /// would only seem to have fewer.
    private void checkEnd(long end) throws IOException {
      byte[] block = end + BLOCK > channel.size() ? new byte[0] : bytes(end, BLOCK);
      boolean zeros = block.length > 0;
      for (byte b : block) {
        zeros &= b == 0;
      }
      if (!zeros) {
        throw bad(end, "a tar file ends with a block of zeros, but here is none: it is cut short");
      }
    }

    private Sample sample(Group group) throws IOException {
      List<Member> images =
          group.members.entrySet().stream()
              .filter(each -> isImage(each.getKey()))
              .map(Map.Entry::getValue)
              .toList();
      if (images.size() != 1) {
        throw bad(
            group.at,
            "a sample has one image, but %s has %s"
                .formatted(Shown.name(group.key), images.isEmpty() ? "none" : images.size()));
      }
      Member image = images.getFirst();
      try {
        var entry = new Entry(file.resolve(image.name), image.size, modified, file, image.from);
        return new Sample(image.name, entry, label(group));
      } catch (InvalidPathException e) {
        throw bad(image.from, "%s is no path on this system".formatted(Shown.name(image.name)));
      }
    }

    private int label(Group group) throws IOException {
      Member cls = group.members.get("cls");
      Member json = group.members.get("json");
      Member said = cls != null ? cls : json;
      if (said == null) {
        throw bad(
            group.at,
            "a sample has a label, KEY.cls or the number label in KEY.json, but %s has none"
                .formatted(Shown.name(group.key)));
      }
      String text = text(said, MOST_LABEL).strip();
      try {
        JsonNode node = Json.parse(text);
        JsonNode number = cls != null ? node : node.path("label");
        if (number.isIntegralNumber() && number.canConvertToInt() && number.asInt() >= 0) {
          return number.asInt();
        }
      } catch (JacksonException e) {
        // It is refused as what is no number.
      }
      throw bad(
          said.from,
          "a label is a whole number from 0 on%s, but %s has %s"
              .formatted(
                  cls != null ? "" : ", named label",
                  Shown.name(said.name),
                  Shown.name(text.isEmpty() ? "nothing" : text)));
    }

    private ShardNote note(Member member) throws IOException {
      try {
        return Json.read(Json.parse(text(member, MOST_NOTE)), ShardNote.class);
      } catch (JacksonException | IllegalArgumentException e) {
        throw bad(member.from, "%s is not as Fathom writes it".formatted(ShardNote.MEMBER));
      }
    }

    private String text(Member member, int most) throws IOException {
      if (member.size > most) {
        throw bad(
            member.from,
            "%s has %s bytes, but such a member has at most %s"
                .formatted(Shown.name(member.name), member.size, most));
      }
      return new String(bytes(member.from, (int) member.size), StandardCharsets.UTF_8);
    }

    private byte[] bytes(long from, int count) throws IOException {
      ByteBuffer bytes = ByteBuffer.allocate(count);
      while (bytes.hasRemaining()) {
        if (channel.read(bytes, from + bytes.position()) < 0) {
          throw bad(from, "the file has become shorter");
        }
      }
      return bytes.array();
    }

    private BadFileException bad(long offset, String problem) {
      return new BadFileException(
          file, "at byte %s: %s; use another copy, or pack it again".formatted(offset, problem));
    }
  }
}
