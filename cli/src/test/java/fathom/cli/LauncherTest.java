package fathom.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The script `fathom` itself, in a folder that looks like one that was built, with a JDK whose
/// `java` prints how it was called.
class LauncherTest {
  @TempDir private Path folder;
  private Path home = Path.of("");
  private Path jdk = Path.of("");
  private int code;

  @BeforeEach
  void build() throws IOException {
    assumeTrue(Files.isExecutable(Path.of("/bin/sh")), "there is no shell here");
    home = folder.resolve("home");
    Path target = home.resolve("cli").resolve("target");
    Files.createDirectories(target.resolve("libraries"));
    for (String module : List.of("core", "report", "lab", "bench", "serve", "cli")) {
      Files.createDirectories(home.resolve(module).resolve("target").resolve("classes"));
    }
    Files.writeString(target.resolve("libraries").resolve("a.jar"), "");
    Path root = Path.of(System.getProperty("fathom.root"));
    for (String name : List.of("fathom", "jdk.sh", "jvm.args", "light.args")) {
      Files.copy(root.resolve(name), home.resolve(name));
    }
    jdk = folder.resolve("jdk");
    Files.createDirectories(jdk.resolve("bin"));
    Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"25\"\n");
    script(jdk.resolve("bin").resolve("javac"), "exit 1");
    script(
        jdk.resolve("bin").resolve("java"),
        "echo \"charset $(locale charmap 2>/dev/null)\"\nprintf '%s\\n' \"$@\"");
    Files.writeString(target.resolve("start.aot"), "classes");
    Files.writeString(target.resolve("built"), "");
  }

  private static void script(Path file, String lines) throws IOException {
    Files.writeString(file, "#!/bin/sh\n" + lines + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  /// What it prints with these variables and no other but the path.
  private String call(Map<String, String> environment, String... arguments) throws Exception {
    var builder = new ProcessBuilder("/bin/sh", home.resolve("fathom").toString());
    builder.command().addAll(List.of(arguments));
    builder.redirectErrorStream(true);
    builder.environment().keySet().retainAll(List.of("PATH"));
    builder.environment().put("JAVA_HOME", jdk.toString());
    builder.environment().putAll(environment);
    Process process = builder.start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    code = process.waitFor();
    return said;
  }

  /// Services have no HOME.
  @Test
  void withoutAHomeItRuns() throws Exception {
    String said = call(Map.of(), "--version", "a b");
    assertEquals(0, code, said);
    assertTrue(said.endsWith("fathom.cli.Main\n--version\na b\n"), said);
    assertFalse(said.contains("not set"), said);
  }

  /// A JVM takes the charset of names from the locale, and an option for it means nothing.
  @ParameterizedTest
  @CsvSource({"LC_ALL, C", "LANG, POSIX", "LC_CTYPE, xx_YY.UTF-8", "LC_ALL, C.UTF-8"})
  void theJvmReadsNamesInUtf8(String variable, String locale) throws Exception {
    assumeTrue(
        call(Map.of("LC_ALL", "C.UTF-8"), "").contains("charset UTF-8"),
        "there is no C.UTF-8 here");
    String said = call(Map.of(variable, locale), "models");
    assertEquals(0, code, said);
    assertTrue(said.contains("charset UTF-8\n"), said);
  }

  /// A link into a folder that only its owner may read.
  @Test
  void whatCannotBeReadIsNamed() throws Exception {
    Path jar = home.resolve("cli").resolve("target").resolve("libraries").resolve("b.jar");
    Files.createSymbolicLink(jar, folder.resolve("gone.jar"));
    String said = call(Map.of(), "--version");
    assertEquals(Exit.NATIVE, code, said);
    assertTrue(said.contains(jar + " cannot be read by this user") && said.contains("chmod"), said);
  }

  @Test
  void theLibrariesLieBesideTheBuild() throws Exception {
    String said = call(Map.of(), "models");
    assertTrue(said.contains("/cli/target/libraries/a.jar\n"), said);
    assertFalse(said.contains(".m2"), said);
  }

  /// What computes nothing is started for a short life, and all else with the kernels.
  @ParameterizedTest
  @CsvSource({
    "--help, true",
    "--version, true",
    "models resnet20 --json, true",
    "train --help, true",
    "train --help-all, true",
    "data get -h, true",
    "data list, true",
    "lab, true",
    "completion bash, true",
    "lab degradation, false",
    "data info digits, false",
    "train resnet8 --data digits, false",
    "sample run --prompt --help, false",
  })
  void commandsThatComputeNothingStartLight(String arguments, boolean light) throws Exception {
    String said = call(Map.of(), arguments.split(" "));
    assertEquals(0, code, said);
    assertEquals(light, said.contains("light.args\n"), said);
    assertEquals(light, said.contains("-XX:AOTCache=" + home + "/cli/target/start.aot\n"), said);
    assertEquals(!light, said.contains("jvm.args\n"), said);
  }
}
