package fathom.cli;

import fathom.DeviceException;
import fathom.bench.Maven;
import fathom.io.BadFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import javax.xml.xpath.XPathExpressionException;
import javax.xml.xpath.XPathFactory;
import org.xml.sax.SAXException;
import org.xml.sax.helpers.DefaultHandler;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
    name = "install",
    description = {
      "Puts the library into this machine's Maven repository, for projects of your own.",
      "Says what their pom and their JVM need.",
      "It is what \"mvn install\" does, without the tests. The first time, Maven also downloads"
          + " what makes the documentation."
    },
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  fathom install",
      "  fathom install --json                              the coordinates for a script",
      "  MAVEN_OPTS=-Dmaven.repo.local=DIR fathom install   into another repository"
    })
final class InstallCommand implements Callable<Integer> {
  private static final String VECTORS = "--add-modules=jdk.incubator.vector";
  private static final String NATIVE = "--enable-native-access=ALL-UNNAMED";

  @Mixin private final Output output = new Output();

  /// The answer of `--json`. A project imports `bom` and then needs no version of a module.
  ///
  /// @param flags flags of the JVM, none of which is necessary
  record Answer(
      String group,
      String version,
      String bom,
      List<String> modules,
      int oldestJava,
      List<String> flags) {}

  @Override
  public Integer call() throws IOException {
    String home = System.getProperty("fathom.home");
    if (home == null) {
      throw output.refused("Fathom is installed from its sources: start it by ./fathom");
    }
    Path sources = Path.of(home);
    var answer =
        new Answer(
            "fathom",
            version(sources.resolve("pom.xml")),
            "fathom-bom",
            List.of(
                "fathom-core",
                "fathom-report",
                "fathom-lab",
                "fathom-bench",
                "fathom-serve",
                "fathom-cli"),
            DoctorCommand.OLDEST_JDK,
            List.of(VECTORS, NATIVE));
    install(sources);
    output.answer(answer, () -> show(answer));
    return Exit.DONE;
  }

  private void install(Path sources) {
    Path target = sources.resolve("core").resolve("target");
    if (Files.exists(target) && !Files.isWritable(target)) {
      throw new DeviceException(
          "%s cannot be written by this user: let its owner install, or take a copy of the sources"
              .formatted(target));
    }
    output.remark("installing; this takes a minute or two");
    try {
      Maven.run(sources, List.of("-Dmaven.test.skip=true", "install"));
    } catch (Maven.FailedException e) {
      throw new IllegalStateException(e.getMessage(), e);
    } catch (IOException e) {
      throw new DeviceException(
          "Maven installs Fathom and cannot be run (%s): install it (Debian: apt install maven; macOS: brew install maven)"
              .formatted(e.getMessage()));
    }
  }

  /// Returns the version of the project that a pom describes.
  static String version(Path pom) throws IOException {
    try (var in = Files.newInputStream(pom)) {
      var builder = DocumentBuilderFactory.newDefaultInstance().newDocumentBuilder();
      builder.setErrorHandler(new DefaultHandler()); // the default handler prints errors
      return XPathFactory.newDefaultInstance()
          .newXPath()
          .evaluate("/project/version", builder.parse(in));
    } catch (ParserConfigurationException | SAXException | XPathExpressionException e) {
      throw new BadFileException(pom, "it is no pom of Maven: " + e.getMessage(), e);
    }
  }

  private void show(Answer a) {
    output
        .out()
        .print(
            """
            Fathom %s is in this machine's Maven repository.

            What a pom needs:
              <dependencyManagement><dependencies>
                <dependency><groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version><type>pom</type><scope>import</scope></dependency>
              </dependencies></dependencyManagement>
              <dependencies>
                <dependency><groupId>%s</groupId><artifactId>%s</artifactId></dependency>
              </dependencies>

            What a JVM needs: version %s or newer. With these flags it is
              %-36s  faster: our kernels run on vector registers
              %-36s  quiet: no warning that native code is called
            """
                .formatted(
                    a.version,
                    a.group,
                    a.bom,
                    a.version,
                    a.group,
                    a.modules.getFirst(),
                    a.oldestJava,
                    VECTORS,
                    NATIVE));
  }
}
