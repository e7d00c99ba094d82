package fathom.cli;

import fathom.Scope;
import fathom.Shape;
import fathom.net.CifarNet;
import fathom.net.Norm;
import fathom.net.Shortcut;
import fathom.net.Summary;
import fathom.nn.Init;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "models",
    description = "Lists every model, or shows one as a tree with the shapes of one picture.",
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  fathom models",
      "  fathom models plain56 --input 1x8x8 --width 8",
      "",
      "resnetN and plainN exist for every N = 6n+2, not only for those of the list."
    })
final class ModelsCommand implements Callable<Integer> {
  @Mixin private final Output output = new Output();

  @Parameters(arity = "0..1", paramLabel = "MODEL", description = "The model to show.")
  private @Nullable String model;

  @Mixin private final ModelOptions options = new ModelOptions();

  @Option(
      names = "--input",
      paramLabel = "CxHxW",
      description = "The size of a picture. Default: 3x32x32.")
  private String input = "3x32x32";

  /// One model of the list.
  record Entry(String name, int depth, long params, long madds, List<Integer> input) {}

  @Override
  public Integer call() {
    CifarNet.Input size = output.usage(() -> parse(input));
    if (model != null) {
      String name = model;
      CifarNet net = output.usage(() -> options.apply(CifarNet.named(name)).on(size, 10));
      show(net);
    } else {
      list(size);
    }
    return Exit.DONE;
  }

  private void list(CifarNet.Input size) {
    var entries = new ArrayList<Entry>();
    for (String family : List.of("resnet", "plain")) {
      for (int depth : CifarNet.paperDepths()) {
        CifarNet net =
            output.usage(() -> options.apply(CifarNet.named(family + depth)).on(size, 10));
        entries.add(entry(net, summary(net)));
      }
    }
    output.answer(
        Map.of("models", entries),
        () ->
            output.table(
                List.of("model", "depth", "parameters", "multiply-adds", "input"),
                entries.stream()
                    .map(e ->
                        List.of(
                            e.name,
                            Integer.toString(e.depth),
                            Count.exact(e.params),
                            Count.millions(e.madds),
                            size.toString()))
                    .toList()));
  }

  private void show(CifarNet net) {
    Summary summary = summary(net);
    output.answer(
        Map.of("models", List.of(entry(net, summary)), "layers", summary.layers()),
        () -> tree(net, summary));
  }

  private void tree(CifarNet net, Summary summary) {
    var rows = new ArrayList<List<String>>();
    for (Summary.Entry e : summary.layers().subList(1, summary.layers().size())) {
      String name = e.name().isEmpty() ? e.layer() : e.name() + "  " + e.layer();
      rows.add(
          List.of(
              "  ".repeat(e.depth() - 1) + name,
              e.value().toString(),
              e.params() == 0 ? "" : Count.exact(e.params()),
              e.multiplyAdds() == 0 ? "" : Count.millions(e.multiplyAdds())));
    }
    rows.add(
        List.of(
            "in all", "", Count.exact(summary.params()), Count.millions(summary.multiplyAdds())));
    output.table(List.of(net.name(), "value", "parameters", "multiply-adds"), rows);
  }

  private static Summary summary(CifarNet net) {
    try (var _ = Scope.open()) {
      CifarNet.Input in = net.input();
      return Summary.of(net.build(Init.zeros()), Shape.of(in.channels(), in.height(), in.width()));
    }
  }

  private static Entry entry(CifarNet net, Summary summary) {
    CifarNet.Input in = net.input();
    return new Entry(
        net.name(),
        net.depth(),
        summary.params(),
        summary.multiplyAdds(),
        List.of(in.channels(), in.height(), in.width()));
  }

  private static CifarNet.Input parse(String text) {
    var matcher = Pattern.compile("(\\d{1,4})[x×](\\d{1,4})[x×](\\d{1,4})").matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "--input is channels x height x width, such as 3x32x32, but is \"" + text + "\"");
    }
    return new CifarNet.Input(
        Integer.parseInt(matcher.group(1)),
        Integer.parseInt(matcher.group(2)),
        Integer.parseInt(matcher.group(3)));
  }

  /// What can be changed of a model.
  static final class ModelOptions {
    @Option(
        names = "--shortcut",
        description = "What residual blocks add: A, B or C of the paper, or none.",
        paramLabel = "A|B|C|none")
    private @Nullable Shortcut shortcut;

    @Option(
        names = "--norm",
        description = "The normalization: ${COMPLETION-CANDIDATES}. Default: batch.",
        paramLabel = "NORM")
    private Norm norm = Norm.BATCH;

    @Option(
        names = "--width",
        description = "The channels of the first stage. Default: 16.",
        paramLabel = "K")
    private int width = 16;

    CifarNet apply(CifarNet net) {
      CifarNet changed = net.withNorm(norm).withWidth(width);
      if (shortcut == null) {
        return changed;
      }
      if (net.shortcut() == Shortcut.NONE && shortcut != Shortcut.NONE) {
        throw new IllegalArgumentException(
            "%s has no shortcuts, but --shortcut %s was given; resnet%d has"
                .formatted(net.name(), shortcut, net.depth()));
      }
      return changed.withShortcut(shortcut);
    }
  }
}
