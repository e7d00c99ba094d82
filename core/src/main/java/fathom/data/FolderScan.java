package fathom.data;

import fathom.io.BadFileException;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The contents of a folder of images, found by the same rule for every command.
///
/// Links are followed. A link that leads nowhere, or back to a folder above it, is ignored with a
/// notice. Hidden files and folders (`.git`, `.ipynb_checkpoints`) and those that systems and
/// archivers leave behind (`lost+found`, `@eaDir`, `__MACOSX`, `Thumbs.db`) do not count. A file is
/// a possible image unless its extension plainly says otherwise, as that of a caption does; its
/// content decides.
///
/// Everything is sorted by name in the Unicode form NFC, because a system may store the same name
/// in another form.
///
/// @param files the possible images
/// @param folders the folders, which have not been looked into
/// @param others the files that are plainly no images
/// @param notices sentences about what was ignored
public record FolderScan(
    List<Entry> files, List<Path> folders, List<Entry> others, List<String> notices) {
  private static final Set<String> OF_SYSTEMS =
      Set.of(
          "lost+found",
          "@eadir",
          "@tmp",
          "#recycle",
          "#snapshot",
          "@recycle",
          "__macosx",
          "__pycache__",
          "$recycle.bin",
          "system volume information",
          "thumbs.db",
          "ehthumbs.db",
          "desktop.ini");

  private static final Set<String> NO_IMAGES =
      Set.of(
          ("txt caption json jsonl ndjson csv tsv md rst html htm xml yaml yml toml ini cfg conf"
                  + " log lst pdf doc docx odt rtf xls xlsx ods tex url lnk npy npz pkl pickle pt pth"
                  + " safetensors onnx h5 hdf5 parquet arrow mat db sqlite tfrecord zip tar gz tgz bz2"
                  + " xz zst 7z rar md5 sha1 sha256 py ipynb sh bat js css java class aae xmp mp3 wav"
                  + " m4a mp4 mov avi mkv webm m4v 3gp")
              .split(" "));

  /// A path with its name, as it is and in NFC. The name is kept because asking a path for it takes
  /// longer than comparing it.
  private record Named(Path path, String name, String form) {}

  private static final Comparator<Named> BY_NAME =
      Comparator.comparing(Named::form).thenComparing(Named::name);

  /// Copies the lists.
  public FolderScan {
    files = List.copyOf(files);
    folders = List.copyOf(folders);
    others = List.copyOf(others);
    notices = List.copyOf(notices);
  }

  /// A regular file, or one that a link leads to, or a member of a shard.
  ///
  /// @param path of a member the path of the shard, followed by the member's name
  /// @param bytes its size
  /// @param modified the time of the last change of the file or shard, in milliseconds since 1970
  /// @param shard the tar file that has it as a member; null for a file of its own
  /// @param from where the content begins in the shard
  public record Entry(Path path, long bytes, long modified, @Nullable Path shard, long from) {
    Entry(Path path, long bytes, long modified) {
      this(path, bytes, modified, null, 0);
    }

    /// Returns the content. Throws [BadFileException] unless there is a regular file.
    ImageSource source() {
      Path in = shard;
      return in == null
          ? ImageSource.of(path)
          : new ImageSource.InShard(path, in, from, bytes, modified);
    }

    /// Returns the file's name in the Unicode form NFC.
    String name() {
      return form(FolderScan.name(path));
    }
  }

  /// Returns the contents of the folder itself. Throws [BadFileException] if it cannot be read.
  static FolderScan of(Path folder) {
    return of(folder, Set.of());
  }

  /// Returns the contents of the folder and of all folders below it. The files are sorted by path,
  /// and the list of folders is empty. Throws [BadFileException] if one of the folders cannot be
  /// read.
  public static FolderScan below(Path folder) {
    var files = new ArrayList<Entry>();
    var others = new ArrayList<Entry>();
    var notices = new ArrayList<String>();
    below(folder, new HashSet<>(), files, others, notices);
    files.sort(Comparator.comparing(Entry::path));
    return new FolderScan(files, List.of(), others, notices);
  }

  private static void below(
      Path folder, Set<Path> above, List<Entry> files, List<Entry> others, List<String> notices) {
    Path real = real(folder);
    above.add(real);
    FolderScan here = of(folder, above);
    files.addAll(here.files);
    others.addAll(here.others);
    notices.addAll(here.notices);
    here.folders.forEach(inner -> below(inner, above, files, others, notices));
    above.remove(real);
  }

  /// @param above the real paths of the folders through which this one was reached
  private static FolderScan of(Path folder, Set<Path> above) {
    var files = new ArrayList<Entry>();
    var folders = new ArrayList<Path>();
    var others = new ArrayList<Entry>();
    var notices = new ArrayList<String>();
    Path real = real(folder);
    for (Path path : sorted(folder)) {
      BasicFileAttributes is;
      try {
        is = Files.readAttributes(path, BasicFileAttributes.class);
      } catch (IOException e) {
        if (!Files.isSymbolicLink(path)) {
          throw new BadFileException(path, "it cannot be looked at (%s)".formatted(e), e);
        }
        notices.add(path + ": this link leads nowhere and is passed over");
        continue;
      }
      if (is.isDirectory()) {
        if (leadsBack(path, real, above)) {
          notices.add(path + ": this link leads back to a folder above it and is not followed");
        } else {
          folders.add(path);
        }
      } else if (is.isRegularFile()) {
        (plainlyNoImage(path) ? others : files)
            .add(new Entry(path, is.size(), is.lastModifiedTime().toMillis()));
      } else {
        notices.add(path + ": this is a device, pipe or socket and is passed over");
      }
    }
    return new FolderScan(files, folders, others, notices);
  }

  private static List<Path> sorted(Path folder) {
    var paths = new ArrayList<Named>();
    try (DirectoryStream<Path> in = Files.newDirectoryStream(folder)) {
      for (Path path : in) {
        String name = name(path);
        if (counts(name)) {
          paths.add(new Named(path, name, form(name)));
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      throw unreadable(folder, e);
    }
    return paths.stream().sorted(BY_NAME).map(Named::path).toList();
  }

  private static Path real(Path folder) {
    try {
      return folder.toRealPath();
    } catch (IOException e) {
      throw unreadable(folder, e);
    }
  }

  private static BadFileException unreadable(Path folder, Exception e) {
    return new BadFileException(
        folder, "the folder cannot be read (%s); check its permissions".formatted(e), e);
  }

  private static boolean leadsBack(Path path, Path folder, Set<Path> above) {
    if (!Files.isSymbolicLink(path)) {
      return false;
    }
    Path real = real(path);
    return folder.startsWith(real) || above.contains(real);
  }

  private static boolean counts(String name) {
    return !name.startsWith(".") && !OF_SYSTEMS.contains(name.toLowerCase(Locale.ROOT));
  }

  private static boolean plainlyNoImage(Path file) {
    return NO_IMAGES.contains(extension(file));
  }

  /// Returns the extension in lower case, without the dot; empty if there is none.
  static String extension(Path file) {
    String name = name(file);
    int dot = name.lastIndexOf('.');
    return dot < 0 ? "" : name.substring(dot + 1).toLowerCase(Locale.ROOT);
  }

  static String name(Path path) {
    Path name = path.getFileName();
    return name == null ? "" : name.toString();
  }

  /// Returns a name in NFC, the Unicode form in which names are compared.
  static String form(String name) {
    return Normalizer.normalize(name, Normalizer.Form.NFC);
  }
}
