package fathom.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PackingTest {
  private static final int JAVA_5 = 49;

  @TempDir private Path home;

  /// `static int more(int i)`: 7 if i is less than 3, else 8. A branch is what needs stack maps.
  private static byte[] branching(int version) {
    return ClassFile.of()
        .build(
            ClassDesc.of("a.Branching"),
            builder ->
                builder
                    .withVersion(version, 0)
                    .withMethodBody(
                        "more",
                        MethodTypeDesc.of(ConstantDescs.CD_int, ConstantDescs.CD_int),
                        ClassFile.ACC_PUBLIC | ClassFile.ACC_STATIC,
                        code -> {
                          var other = code.newLabel();
                          code.iload(0).iconst_3().if_icmpge(other);
                          code.bipush(7).ireturn();
                          code.labelBinding(other).bipush(8).ireturn();
                        }));
  }

  private Path jar(String name, byte[] type) throws IOException {
    Path jar = home.resolve(name);
    try (var out = new JarOutputStream(Files.newOutputStream(jar))) {
      out.putNextEntry(new JarEntry("META-INF/versions/9/a/Other.class"));
      out.write(branching(ClassFile.latestMajorVersion())); // the first is not like the others
      out.putNextEntry(new JarEntry("a/Branching.class"));
      out.write(type);
      out.putNextEntry(new JarEntry("a/text"));
      out.write(65);
    }
    return jar;
  }

  @Test
  void librariesAreLinkedOrModernised() throws Exception {
    Path target = home.resolve("cli").resolve("target");
    Path classes =
        Files.createDirectories(home.resolve("core").resolve("target").resolve("classes"));
    Files.write(classes.resolve("ours.txt"), List.of("ours"));
    Path old = jar("old.jar", branching(JAVA_5));
    Path modern = jar("modern.jar", branching(ClassFile.latestMajorVersion()));
    Files.createDirectories(target.resolve("libraries"));
    Files.write(target.resolve("libraries").resolve("left.jar"), List.of("of another version"));
    Files.writeString(target.resolve("classpath.txt"), old + ":" + modern + "\n");
    Packing.main(new String[] {home.toString()});
    Path libraries = target.resolve("libraries");
    try (var files = Files.list(libraries)) {
      assertEquals(
          List.of("fathom.jar", "modern.jar", "old.jar"),
          files.map(file -> file.getFileName().toString()).sorted().toList());
    }
    assertEquals(
        Files.readAttributes(modern, "unix:ino"),
        Files.readAttributes(libraries.resolve("modern.jar"), "unix:ino"));
    URL[] both = {
      libraries.resolve("old.jar").toUri().toURL(), libraries.resolve("fathom.jar").toUri().toURL()
    };
    try (var loader = new URLClassLoader(both, null)) {
      var more = loader.loadClass("a.Branching").getMethod("more", int.class);
      assertEquals(7, more.invoke(null, 2));
      assertEquals(8, more.invoke(null, 3));
      try (var in = loader.getResourceAsStream("a/Branching.class")) {
        assertTrue(in.readNBytes(8)[7] > JAVA_5);
      }
      assertTrue(loader.getResource("a/text") != null && loader.getResource("ours.txt") != null);
    }
  }
}
