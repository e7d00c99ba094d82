package fathom.cli;

import fathom.infer.TextGenerator;
import fathom.run.Run;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "sample",
    description =
        "Writes text as a run has learned it, by its last checkpoint or an exported file.",
    mixinStandardHelpOptions = true,
    footerHeading = "%nExample:%n",
    footer = "  fathom sample runs/ln-lstm-book-1 --prompt \"It was \" --temperature 0.8")
final class SampleCommand implements Callable<Integer> {
  @Mixin private final Output output = new Output();

  @Mixin private final DeviceOption device = new DeviceOption();

  @Parameters(
      arity = "0..1",
      paramLabel = "RUN|WEIGHTS",
      description = "The folder of a run about text, or a .safetensors file.")
  private @Nullable Path from;

  @Mixin private final BestOption best = new BestOption();

  @Option(names = "--prompt", paramLabel = "TEXT", description = "What to go on from.")
  private String prompt = "";

  @Option(names = "--length", paramLabel = "N", description = "Characters. Default: 500.")
  private int length = 500;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      description =
          "Below 1 likely characters become more likely; 0 takes the likeliest. Default: 1.")
  private double temperature = 1;

  @Option(names = "--seed", paramLabel = "N", description = "Decides every draw. Default: 1.")
  private long seed = 1;

  /// The answer of `--json`; `text` follows the prompt.
  record Answer(String prompt, String text) {}

  @Override
  public Integer call() {
    device.check();
    Path source = output.required(from, "RUN or WEIGHTS");
    try (TextGenerator generator = open(source)) {
      String text = output.usage(() -> generator.generate(prompt, length, temperature, seed));
      output.answer(new Answer(prompt, text), () -> output.out().println(prompt + text));
      return Exit.DONE;
    }
  }

  private TextGenerator open(Path source) {
    if (Files.isRegularFile(source)) {
      if (best.isGiven()) {
        throw output.refused("--best is for a run, but %s is a file of weights".formatted(source));
      }
      return TextGenerator.open(source);
    }
    Run run = Run.open(source);
    return output.usage(() -> run.generator(best.weights(run)));
  }
}
