package fathom.cli;

import fathom.data.DataSet;
import fathom.data.Shards;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "pack",
    description = {
      "Packs a folder of images into shards, tar files as WebDataset has them: for training on many"
          + " machines, or from a disk that is slow with many files.",
      "The files go into them unchanged, in a random order that is the same each time. Without"
          + " folders for testing, the fifth that is drawn for it gets shards of its own."
    },
    mixinStandardHelpOptions = true,
    footerHeading = "%nExample:%n",
    footer = {
      "  fathom data pack images:photos --out photos-packed",
      "  fathom train resnet18 --data shards:photos-packed"
    })
final class DataPackCommand implements Callable<Integer> {
  /// The size with which images are opened; any size leaves them in their files.
  private static final int ANY_SIZE = 32;

  private static final long MEGABYTE = 1_000_000;

  @Mixin private final Output output = new Output();

  @Parameters(paramLabel = "DATA", description = "A folder of images, images:DIR.")
  private @Nullable String data;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "The folder for the shards, which must not exist.")
  private @Nullable Path out;

  @Option(
      names = "--shard-size",
      paramLabel = "MB",
      description = "The size of a shard in megabytes. Default: 256.")
  private int size = 256;

  @Mixin private final ImageOptions reading = new ImageOptions();

  /// The answer of `--json`.
  record Answer(String data, String folder, List<Shards.Part> parts) {}

  @Override
  public Integer call() {
    String spec = output.required(data, "DATA");
    Path folder = output.required(out, "--out");
    if (size < 1) {
      throw output.refused("--shard-size is at least 1 megabyte, but is " + size);
    }
    DataSet images = output.usage(() -> DataSet.open(spec, reading.of(ANY_SIZE)));
    ImageOptions.tell(images, output);
    List<Shards.Part> parts = output.usage(() -> Shards.pack(images, folder, size * MEGABYTE));
    var answer = new Answer(spec, folder.toString(), parts);
    output.answer(answer, () -> show(answer));
    return Exit.DONE;
  }

  private void show(Answer answer) {
    output.table(
        List.of("part", "shards", "images", "MB"),
        answer.parts.stream()
            .map(part ->
                List.of(
                    part.part(),
                    Integer.toString(part.shards()),
                    Count.exact(part.images()),
                    String.format(Locale.ROOT, "%.1f", (double) part.bytes() / MEGABYTE)))
            .toList());
    output.out().println();
    output.out().println("Train on it with --data %s%s.".formatted(DataSet.SHARDS, answer.folder));
  }
}
