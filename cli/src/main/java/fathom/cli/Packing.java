package fathom.cli;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassFile.ClassHierarchyResolverOption;
import java.lang.classfile.ClassFile.StackMapsOption;
import java.lang.classfile.ClassFileVersion;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.MethodModel;
import java.lang.classfile.MethodTransform;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarInputStream;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;

/// Puts everything that runs into `cli/target/libraries` as jars, after a build by `./fathom`. A
/// JVM's class data archive covers only classes from jars, and other users can read this folder,
/// unlike the Maven folder of the user who built.
///
/// A library is a hard link to Maven's file, or a copy on another file system. A library with
/// classes of Java 5, such as picocli, is rewritten with the stack maps that came with Java 6,
/// because a JVM neither archives a class without them nor verifies it quickly.
final class Packing {
  /// The class file version of Java 6, the first with stack maps.
  private static final int WITH_STACK_MAPS = 50;

  /// The class file version of Java 25, the oldest JDK that runs Fathom.
  private static final int OF_JAVA_25 = 69;

  private Packing() {}

  /// Packs the result of a build.
  ///
  /// @param args the home folder of Fathom
  public static void main(String[] args) throws IOException {
    Path home = Path.of(args[0]);
    Path target = home.resolve("cli").resolve("target");
    Path libraries = target.resolve("libraries");
    Files.createDirectories(libraries);
    try (Stream<Path> old = Files.list(libraries)) {
      for (Path file : old.toList()) {
        Files.delete(file);
      }
    }
    pack(
        Stream.of("core", "report", "lab", "bench", "serve", "cli")
            .map(module -> home.resolve(module).resolve("target").resolve("classes"))
            .toList(),
        libraries.resolve("fathom.jar"));
    for (String name : Files.readString(target.resolve("classpath.txt")).strip().split(":", -1)) {
      Path jar = Path.of(name);
      put(jar, libraries.resolve(jar.getFileName()));
    }
  }

  private static void pack(List<Path> folders, Path to) throws IOException {
    try (var out = new JarOutputStream(Files.newOutputStream(to))) {
      for (Path folder : folders) {
        if (!Files.isDirectory(folder)) {
          continue;
        }
        try (Stream<Path> files = Files.walk(folder)) {
          for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
            String name = folder.relativize(file).toString().replace('\\', '/');
            out.putNextEntry(new JarEntry(name));
            Files.copy(file, out);
          }
        }
      }
    }
  }

  private static void put(Path jar, Path to) throws IOException {
    if (isOld(jar)) {
      modernise(jar, to);
      return;
    }
    try {
      Files.createLink(to, jar.toRealPath());
    } catch (IOException | UnsupportedOperationException e) {
      Files.copy(jar, to);
    }
  }

  private static boolean isOld(Path jar) throws IOException {
    try (var in = new JarInputStream(Files.newInputStream(jar))) {
      for (JarEntry entry = in.getNextJarEntry(); entry != null; entry = in.getNextJarEntry()) {
        if (entry.getName().endsWith(".class") && isOld(in.readNBytes(8))) {
          return true;
        }
      }
      return false;
    }
  }

  private static boolean isOld(byte[] start) {
    return start.length >= 8 && (((start[6] & 0xff) << 8) | (start[7] & 0xff)) < WITH_STACK_MAPS;
  }

  private static void modernise(Path jar, Path to) throws IOException {
    try (var loader = new URLClassLoader(new URL[] {jar.toUri().toURL()}, null);
        var in = new JarInputStream(Files.newInputStream(jar))) {
      ClassFile writer =
          ClassFile.of(
              ClassHierarchyResolverOption.of(
                  ClassHierarchyResolver.ofResourceParsing(loader)
                      .orElse(ClassHierarchyResolver.defaultResolver())),
              StackMapsOption.GENERATE_STACK_MAPS);
      Manifest manifest = in.getManifest();
      try (var out =
          manifest == null
              ? new JarOutputStream(Files.newOutputStream(to))
              : new JarOutputStream(Files.newOutputStream(to), manifest)) {
        for (JarEntry entry = in.getNextJarEntry(); entry != null; entry = in.getNextJarEntry()) {
          byte[] bytes = in.readAllBytes();
          out.putNextEntry(new JarEntry(entry.getName()));
          out.write(
              entry.getName().endsWith(".class") && isOld(bytes)
                  ? modernised(writer, bytes)
                  : bytes);
        }
      }
    }
  }

  private static byte[] modernised(ClassFile writer, byte[] bytes) {
    return writer.transformClass(
        writer.parse(bytes),
        (builder, element) -> {
          switch (element) {
            case ClassFileVersion _ -> builder.withVersion(OF_JAVA_25, 0);
            case MethodModel method ->
                builder.transformMethod(
                    method, MethodTransform.transformingCode(CodeTransform.ACCEPT_ALL));
            default -> builder.with(element);
          }
        });
  }
}
