package fathom;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.source.tree.BinaryTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.ConditionalExpressionTree;
import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.LiteralTree;
import com.sun.source.tree.MemberReferenceTree;
import com.sun.source.tree.MemberSelectTree;
import com.sun.source.tree.MethodInvocationTree;
import com.sun.source.tree.NewClassTree;
import com.sun.source.tree.ParenthesizedTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreeScanner;
import com.sun.source.util.Trees;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What no source says, because the user's language or encoding would change what it means.
///
/// - `formatted` knows no locale: its numbers go by `%s`, which writes them in ASCII digits. What
///   needs more (`%.2f`, `%02d`) is `String.format(Locale.ROOT, ...)`.
/// - Letters change their case by `Locale.ROOT`.
/// - A file is a `Path`, which keeps the bytes of a name that it got from a folder; a
///   `java.io.File` encodes it anew. Only a `ProcessBuilder` takes nothing else. Tests may have
///   one, for they know the names of their files.
class SourcesTest {
  private static final Pattern CONVERSION =
      Pattern.compile("%(?:\\d+\\$)?[-#+ 0,(<]*\\d*(?:\\.\\d+)?([a-zA-Z%])");

  /// Those that write the same in every locale.
  private static final String PLAIN = "sxXcbnho%";

  /// Methods of a ProcessBuilder.
  private static final Set<String> OF_PROCESSES =
      Set.of("directory", "redirectOutput", "redirectError", "redirectInput");

  @Test
  void theLocaleChangesNothing() throws IOException {
    var sources = new ArrayList<JavaFileObject>();
    for (Path module : modules()) {
      for (String kind : List.of("main", "test")) {
        Path folder = module.resolve("src").resolve(kind).resolve("java");
        if (Files.isDirectory(folder)) {
          try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
              sources.add(source(file.toUri(), Files.readString(file)));
            }
          }
        }
      }
    }
    assertTrue(sources.size() > 300, "only %s sources were found".formatted(sources.size()));
    assertEquals(List.of(), faults(sources));
  }

  /// Each folder with sources in the root, and the project below one of them.
  private static List<Path> modules() throws IOException {
    Path root = Path.of(System.getProperty("fathom.root"));
    try (Stream<Path> folders = Files.list(root)) {
      return Stream.concat(folders, Stream.of(root.resolve("bench").resolve("peers")))
          .filter(folder -> Files.isDirectory(folder.resolve("src")))
          .toList();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"%d\".formatted(1)",
        "(\"%s\" + \"%.1f\").formatted(1, 2.0)",
        "(ok ? \"%s\" : \"%,d\").formatted(1)",
        "name.formatted(1)",
        "list.stream().map(\"%e\"::formatted)",
        "String.format(\"%s\", 1)",
        "out.printf(\"%s\", 1)",
        "name.toLowerCase()",
        "name.toUpperCase()",
        "list.stream().map(String::toLowerCase)",
        "ImageIO.read(path.toFile())",
        "new File(name)",
        "new java.io.File(name)",
      })
  void eachFaultIsFound(String expression) throws IOException {
    assertEquals(1, faults(List.of(example(expression))).size(), expression);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"%s, %02x, 5 %%\".formatted(1, 2)",
        "String.format(Locale.ROOT, \"%d\", 1)",
        "out.printf(Locale.ROOT, \"%.1f\", 1.0)",
        "name.toLowerCase(Locale.ROOT)",
        "new ProcessBuilder(name).redirectOutput(path.toFile())",
      })
  void nothingElseIs(String expression) throws IOException {
    assertEquals(List.of(), faults(List.of(example(expression))));
  }

  private static JavaFileObject example(String expression) {
    return source(
        URI.create("string:///A.java"),
        "class A { Object a() { return %s; } }".formatted(expression));
  }

  private static JavaFileObject source(URI address, String text) {
    return new SimpleJavaFileObject(address, JavaFileObject.Kind.SOURCE) {
      @Override
      public CharSequence getCharContent(boolean ignoreEncodingErrors) {
        return text;
      }
    };
  }

  private static List<String> faults(List<JavaFileObject> sources) throws IOException {
    var faults = new ArrayList<String>();
    var task =
        (JavacTask)
            ToolProvider.getSystemJavaCompiler()
                .getTask(null, null, _ -> {}, List.of("-proc:none"), null, sources);
    for (CompilationUnitTree unit : task.parse()) {
      new Reader(unit, Trees.instance(task), faults).scan(unit, null);
    }
    return faults;
  }

  private static final class Reader extends TreeScanner<Void, Void> {
    private final CompilationUnitTree unit;
    private final Trees trees;
    private final List<String> faults;

    Reader(CompilationUnitTree unit, Trees trees, List<String> faults) {
      this.unit = unit;
      this.trees = trees;
      this.faults = faults;
    }

    @Override
    public Void visitMethodInvocation(MethodInvocationTree call, Void nothing) {
      if (call.getMethodSelect() instanceof MemberSelectTree select) {
        String name = select.getIdentifier().toString();
        List<? extends ExpressionTree> arguments = call.getArguments();
        switch (name) {
          case "formatted" -> check(select.getExpression());
          case "toLowerCase", "toUpperCase" -> {
            if (arguments.isEmpty()) {
              fault(call, name + " without Locale.ROOT");
            }
          }
          case "format", "printf" -> {
            if ((name.equals("printf") || select.getExpression().toString().equals("String"))
                && !arguments.getFirst().toString().equals("Locale.ROOT")) {
              fault(call, name + " without Locale.ROOT");
            }
          }
          case "toFile" -> file(call);
          case "deleteOnExit" -> { // a Path has none
            return null;
          }
          default -> {
            if (OF_PROCESSES.contains(name)) { // with a File, for there is no other way
              return scan(select, null);
            }
          }
        }
      }
      return super.visitMethodInvocation(call, null);
    }

    @Override
    public Void visitMemberReference(MemberReferenceTree reference, Void nothing) {
      switch (reference.getName().toString()) {
        case "formatted" -> check(reference.getQualifierExpression());
        case "toLowerCase", "toUpperCase" -> fault(reference, "the case without Locale.ROOT");
        default -> {}
      }
      return super.visitMemberReference(reference, null);
    }

    @Override
    public Void visitNewClass(NewClassTree made, Void nothing) {
      if (made.getIdentifier().toString().matches("(java\\.io\\.)?File(Input|Output)?(Stream)?")) {
        file(made);
      }
      return super.visitNewClass(made, null);
    }

    /// A format: a literal, or one of two, or some in a row.
    private void check(Tree format) {
      switch (format) {
        case LiteralTree literal -> {
          Matcher conversions = CONVERSION.matcher(String.valueOf(literal.getValue()));
          while (conversions.find()) {
            if (PLAIN.indexOf(conversions.group(1).charAt(0)) < 0) {
              fault(
                  literal,
                  "%s in formatted: %%s, or String.format(Locale.ROOT, ...)"
                      .formatted(conversions.group()));
            }
          }
        }
        case BinaryTree both -> {
          check(both.getLeftOperand());
          check(both.getRightOperand());
        }
        case ConditionalExpressionTree either -> {
          check(either.getTrueExpression());
          check(either.getFalseExpression());
        }
        case ParenthesizedTree inner -> check(inner.getExpression());
        default -> fault(format, "formatted on what is not written there");
      }
    }

    /// Tests make files whose names they know.
    private void file(Tree at) {
      if (!unit.getSourceFile().toUri().getPath().contains("/src/test/")) {
        fault(at, "a java.io.File where a Path would do");
      }
    }

    private void fault(Tree at, String what) {
      long position = trees.getSourcePositions().getStartPosition(unit, at);
      faults.add(
          "%s:%s: %s"
              .formatted(
                  Path.of(unit.getSourceFile().getName()).getFileName(),
                  unit.getLineMap().getLineNumber(position),
                  what));
    }
  }
}
