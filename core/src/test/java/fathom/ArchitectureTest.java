package fathom;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noMethods;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

/// Who may see whom, and what nobody does.
class ArchitectureTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("fathom");

  /// The packages of core and, of each, the others that it may use: the direction in which data
  /// flows, and none against it.
  private static final Map<String, Set<String>> MAY_SEE = new LinkedHashMap<>();

  static {
    MAY_SEE.put("fathom", Set.of());
    MAY_SEE.put("fathom.io", Set.of("fathom"));
    MAY_SEE.put("fathom.data", Set.of("fathom"));
    MAY_SEE.put("fathom.kernel", Set.of("fathom"));
    MAY_SEE.put("fathom.nn", Set.of("fathom", "fathom.kernel"));
    MAY_SEE.put("fathom.onnx", Set.of("fathom", "fathom.io", "fathom.nn"));
    MAY_SEE.put("fathom.kernel.recurrent", Set.of("fathom", "fathom.kernel"));
    MAY_SEE.put(
        "fathom.recurrent",
        Set.of("fathom", "fathom.kernel", "fathom.kernel.recurrent", "fathom.nn"));
    MAY_SEE.put("fathom.net", Set.of("fathom", "fathom.nn", "fathom.recurrent"));
    MAY_SEE.put("fathom.loss", Set.of("fathom"));
    MAY_SEE.put("fathom.optim", Set.of("fathom"));
    MAY_SEE.put("fathom.parallel", Set.of("fathom"));
    MAY_SEE.put(
        "fathom.task",
        Set.of(
            "fathom",
            "fathom.io",
            "fathom.data",
            "fathom.nn",
            "fathom.recurrent",
            "fathom.net",
            "fathom.loss"));
    MAY_SEE.put(
        "fathom.task.mask",
        Set.of("fathom", "fathom.data", "fathom.nn", "fathom.loss", "fathom.task"));
    MAY_SEE.put(
        "fathom.train",
        Set.of(
            "fathom",
            "fathom.io",
            "fathom.data",
            "fathom.nn",
            "fathom.recurrent",
            "fathom.net",
            "fathom.loss",
            "fathom.optim",
            "fathom.parallel",
            "fathom.task"));
    MAY_SEE.put(
        "fathom.infer",
        Set.of(
            "fathom",
            "fathom.io",
            "fathom.data",
            "fathom.nn",
            "fathom.recurrent",
            "fathom.net",
            "fathom.loss",
            "fathom.task",
            "fathom.task.mask",
            "fathom.train"));
    MAY_SEE.put(
        "fathom.run",
        Set.of(
            "fathom",
            "fathom.io",
            "fathom.data",
            "fathom.nn",
            "fathom.recurrent",
            "fathom.net",
            "fathom.loss",
            "fathom.optim",
            "fathom.parallel",
            "fathom.task",
            "fathom.task.mask",
            "fathom.train",
            "fathom.infer"));
  }

  @Test
  void everyPackageIsInTheTable() {
    var packages =
        CLASSES.stream()
            .map(JavaClass::getPackageName)
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(new TreeSet<>(MAY_SEE.keySet()), packages);
    assertTrue(CLASSES.size() > 80, "only %s classes were found".formatted(CLASSES.size()));
  }

  @Test
  void packagesSeeOnlyWhatTheyMay() {
    MAY_SEE.forEach((name, others) -> {
      String[] forbidden =
          MAY_SEE.keySet().stream()
              .filter(other -> !other.equals(name) && !others.contains(other))
              .toArray(String[]::new);
      noClasses()
          .that()
          .resideInAPackage(name)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(forbidden)
          .check(CLASSES);
    });
  }

  @Test
  void onlyTheRootKnowsTheEngine() {
    noClasses()
        .that()
        .resideOutsideOfPackage("fathom")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("org.bytedeco..")
        .check(CLASSES);
  }

  /// What is public shows no type of the engine: it can be replaced.
  @Test
  void theEngineIsInNobodysSignature() {
    noMethods()
        .that()
        .arePublic()
        .or()
        .areProtected()
        .should()
        .haveRawReturnType(JavaClass.Predicates.resideInAPackage("org.bytedeco.."))
        .check(CLASSES);
  }

  /// A kernel reads memory, a layer does not: its tensors may be on another device.
  @Test
  void noLayerReadsMemory() {
    noClasses()
        .that()
        .resideInAnyPackage("fathom.nn", "fathom.recurrent", "fathom.net", "fathom.loss")
        .should()
        .callMethod(Tensor.class, "segment")
        .because("kernels have a form of libtorch's operations for tensors without memory here")
        .check(CLASSES);
  }

  @Test
  void nothingIsCalledAfterWhatItIsNot() {
    for (String name : new String[] {"Impl", "Manager", "Helper", "Helpers", "Util", "Utils"}) {
      noClasses().should().haveSimpleNameEndingWith(name).check(CLASSES);
    }
    noClasses().should().haveSimpleNameStartingWith("Abstract").check(CLASSES);
  }

  @Test
  void nobodyTellsTheCollectorWhatToDo() {
    noClasses()
        .should()
        .callMethod(System.class, "gc")
        .orShould()
        .callMethod(Runtime.class, "gc")
        .because("scopes free native memory, the collector does not")
        .check(CLASSES);
  }

  /// Every draw is a function of a key: see [Draw].
  @Test
  void nothingHasAGeneratorOfRandomNumbers() {
    noClasses()
        .should()
        .dependOnClassesThat()
        .areAssignableTo(RandomGenerator.class)
        .orShould()
        .callMethod(Math.class, "random")
        .orShould()
        .callMethod(StrictMath.class, "random")
        .because("every draw is a function of its key: use Draw")
        .check(CLASSES);
  }

  @Test
  void everyPackageSaysWhatMayBeNull() throws ClassNotFoundException {
    for (String name : MAY_SEE.keySet()) {
      assertTrue(Class.forName(name + ".package-info").isAnnotationPresent(NullMarked.class), name);
    }
  }
}
