package fathom.cli;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaType;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import fathom.Tensor;
import fathom.bench.Peers;
import fathom.lab.Laboratory;
import fathom.report.Page;
import fathom.serve.ModelServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Who may see whom, and what nobody does, over the classes of all modules.
class ArchitectureTest {
  private static final Path ROOT = Path.of(System.getProperty("fathom.root"));

  /// One class of each module, whose folder or jar has the others. Of the modules in the pom, `bom`
  /// has no code, and `examples`, of which the command line knows nothing, is seen by nobody.
  private static final Map<String, Class<?>> MODULES =
      Map.of(
          "core", Tensor.class,
          "report", Page.class,
          "lab", Laboratory.class,
          "bench", Peers.class,
          "serve", ModelServer.class,
          "cli", Main.class);

  private static final JavaClasses CLASSES = classes();

  private static JavaClasses classes() {
    var places =
        MODULES.values().stream()
            .map(of -> of.getProtectionDomain().getCodeSource().getLocation().getPath())
            .toList();
    return new ClassFileImporter()
        .withImportOption(location -> places.stream().anyMatch(location::contains))
        .importPackages("fathom");
  }

  /// The packages of all modules and, of each, the others that it may use: the direction in which
  /// data flows, and none against it, for each sees only such as stand above it here.
  private static final Map<String, Set<String>> MAY_SEE = new LinkedHashMap<>();

  private static void room(String name, String... sees) {
    MAY_SEE.put(name, Set.of(sees));
  }

  /// A room that sees those above it here but these.
  private static void roomAboveAllBut(String name, String... unseen) {
    var sees = new TreeSet<>(MAY_SEE.keySet());
    assertTrue(sees.containsAll(Set.of(unseen)), name);
    sees.removeAll(Set.of(unseen));
    MAY_SEE.put(name, sees);
  }

  static {
    // core
    room("fathom");
    room("fathom.io", "fathom");
    room("fathom.data", "fathom", "fathom.io");
    room("fathom.parallel", "fathom", "fathom.io");
    room("fathom.kernel", "fathom", "fathom.parallel");
    room("fathom.kernel.recurrent", "fathom", "fathom.kernel");
    room("fathom.nn", "fathom", "fathom.parallel", "fathom.kernel");
    room("fathom.recurrent", "fathom", "fathom.kernel", "fathom.kernel.recurrent", "fathom.nn");
    room("fathom.net", "fathom", "fathom.io", "fathom.nn", "fathom.recurrent");
    room(
        "fathom.onnx",
        "fathom",
        "fathom.io",
        "fathom.data",
        "fathom.nn",
        "fathom.recurrent",
        "fathom.net");
    room("fathom.loss", "fathom", "fathom.parallel");
    room("fathom.optim", "fathom");
    roomAboveAllBut(
        "fathom.task", "fathom.kernel", "fathom.kernel.recurrent", "fathom.onnx", "fathom.optim");
    room("fathom.task.mask", "fathom", "fathom.data", "fathom.nn", "fathom.loss", "fathom.task");
    roomAboveAllBut(
        "fathom.train",
        "fathom.kernel",
        "fathom.kernel.recurrent",
        "fathom.onnx",
        "fathom.task.mask");
    roomAboveAllBut(
        "fathom.infer", "fathom.kernel", "fathom.kernel.recurrent", "fathom.onnx", "fathom.optim");
    roomAboveAllBut("fathom.run", "fathom.kernel", "fathom.kernel.recurrent", "fathom.onnx");
    // report
    room("fathom.report", "fathom", "fathom.io");
    roomAboveAllBut(
        "fathom.report.run",
        "fathom.kernel",
        "fathom.kernel.recurrent",
        "fathom.onnx",
        "fathom.infer");
    // lab
    room("fathom.blackjack");
    room("fathom.lab.instrument", "fathom", "fathom.nn");
    room("fathom.lab.ledger", "fathom", "fathom.io", "fathom.train", "fathom.report");
    room(
        "fathom.lab.scale",
        "fathom",
        "fathom.data",
        "fathom.nn",
        "fathom.net",
        "fathom.loss",
        "fathom.optim",
        "fathom.report",
        "fathom.lab.instrument",
        "fathom.lab.ledger");
    room(
        "fathom.lab.cards",
        "fathom",
        "fathom.nn",
        "fathom.recurrent",
        "fathom.loss",
        "fathom.optim",
        "fathom.report",
        "fathom.blackjack",
        "fathom.lab.instrument",
        "fathom.lab.ledger");
    room(
        "fathom.lab.edges",
        "fathom",
        "fathom.data",
        "fathom.nn",
        "fathom.net",
        "fathom.loss",
        "fathom.optim",
        "fathom.task.mask",
        "fathom.report",
        "fathom.lab.instrument",
        "fathom.lab.ledger");
    room(
        "fathom.lab.draw",
        "fathom",
        "fathom.data",
        "fathom.nn",
        "fathom.optim",
        "fathom.report",
        "fathom.lab.ledger");
    room(
        "fathom.lab.layernorm",
        "fathom",
        "fathom.data",
        "fathom.nn",
        "fathom.recurrent",
        "fathom.net",
        "fathom.loss",
        "fathom.optim",
        "fathom.task",
        "fathom.train",
        "fathom.report",
        "fathom.lab.instrument",
        "fathom.lab.ledger");
    room(
        "fathom.lab.reading",
        "fathom",
        "fathom.io",
        "fathom.data",
        "fathom.nn",
        "fathom.recurrent",
        "fathom.loss",
        "fathom.optim",
        "fathom.report",
        "fathom.lab.ledger");
    room(
        "fathom.lab.experiment",
        "fathom",
        "fathom.data",
        "fathom.parallel",
        "fathom.nn",
        "fathom.net",
        "fathom.loss",
        "fathom.optim",
        "fathom.task",
        "fathom.train",
        "fathom.report",
        "fathom.lab.instrument",
        "fathom.lab.ledger",
        "fathom.lab.scale",
        "fathom.lab.cards",
        "fathom.lab.edges",
        "fathom.lab.draw",
        "fathom.lab.layernorm",
        "fathom.lab.reading");
    roomAboveAllBut("fathom.lab", "fathom.kernel", "fathom.kernel.recurrent", "fathom.onnx");
    // bench, which is of core alone
    roomAboveAllBut(
        "fathom.bench",
        "fathom.report",
        "fathom.report.run",
        "fathom.blackjack",
        "fathom.lab.instrument",
        "fathom.lab.ledger",
        "fathom.lab.scale",
        "fathom.lab.cards",
        "fathom.lab.edges",
        "fathom.lab.draw",
        "fathom.lab.layernorm",
        "fathom.lab.reading",
        "fathom.lab.experiment",
        "fathom.lab");
    room(
        "fathom.serve",
        "fathom",
        "fathom.io",
        "fathom.data",
        "fathom.parallel",
        "fathom.train",
        "fathom.infer");
    roomAboveAllBut("fathom.cli", "fathom.kernel", "fathom.kernel.recurrent");
  }

  /// From a package to another, with the first place that was found.
  private static Map<List<String>, String> arrows() {
    var arrows = new LinkedHashMap<List<String>, String>();
    for (JavaClass from : CLASSES) {
      for (Dependency to : from.getDirectDependenciesFromSelf()) {
        String seen = to.getTargetClass().getBaseComponentType().getPackageName();
        if (!seen.equals(from.getPackageName())
            && (seen.equals("fathom") || seen.startsWith("fathom."))) {
          arrows.putIfAbsent(List.of(from.getPackageName(), seen), to.getDescription());
        }
      }
    }
    return arrows;
  }

  private static List<String> against(Map<String, Set<String>> table) {
    var faults = new ArrayList<String>();
    arrows()
        .forEach((arrow, where) -> {
          if (!table.getOrDefault(arrow.getFirst(), Set.of()).contains(arrow.getLast())) {
            faults.add("%s sees %s: %s".formatted(arrow.getFirst(), arrow.getLast(), where));
          }
        });
    return faults;
  }

  @Test
  void everyModuleIsLookedAt() throws IOException {
    var inThePom = new TreeSet<String>();
    var pom = Pattern.compile("<module>([^<]*)</module>").matcher(Files.readString(pom()));
    while (pom.find()) {
      inThePom.add(pom.group(1));
    }
    inThePom.removeAll(Set.of("bom", "examples"));
    assertEquals(inThePom, new TreeSet<>(MODULES.keySet()));
    MODULES.forEach((module, of) -> assertTrue(CLASSES.contain(of), module));
    assertTrue(CLASSES.size() > 600, "only %s classes were found".formatted(CLASSES.size()));
    assertFalse(CLASSES.contain(ArchitectureTest.class), "tests see what they like");
  }

  private static Path pom() {
    return ROOT.resolve("pom.xml");
  }

  @Test
  void everyPackageIsInTheTableAndInTheDocument() throws IOException {
    var packages =
        CLASSES.stream()
            .map(JavaClass::getPackageName)
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(new TreeSet<>(MAY_SEE.keySet()), packages);
    String document = Files.readString(ROOT.resolve("docs/design/modules.md"));
    for (String name : packages) {
      assertTrue(document.contains("`" + name + "`"), name + " is not in docs/design/modules.md");
    }
  }

  /// What makes a circle impossible, and with it an arrow that runs back up.
  @Test
  void eachRoomSeesOnlyThoseAboveItInTheTable() {
    var above = new TreeSet<String>();
    MAY_SEE.forEach((name, sees) -> {
      assertTrue(above.containsAll(sees), "%s sees %s of %s".formatted(name, sees, above));
      above.add(name);
    });
  }

  @Test
  void packagesSeeOnlyWhatTheyMay() {
    assertEquals(List.of(), against(MAY_SEE));
  }

  /// With an arrow less, the table is against the classes: one in each module.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "fathom.nn fathom.kernel",
        "fathom.run fathom.train",
        "fathom.report fathom.io",
        "fathom.report.run fathom.run",
        "fathom.lab.experiment fathom.lab.ledger",
        "fathom.bench fathom.kernel",
        "fathom.serve fathom.infer",
        "fathom.cli fathom.lab"
      })
  void anArrowThatIsNotAllowedIsFound(String arrow) {
    String[] ends = arrow.split(" ", 2);
    var less = new LinkedHashMap<>(MAY_SEE);
    var sees = new TreeSet<>(MAY_SEE.get(ends[0]));
    assertTrue(sees.remove(ends[1]));
    less.put(ends[0], sees);
    assertEquals(1, against(less).size() - against(MAY_SEE).size(), arrow);
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

  /// What is public shows no type of the engine, so that it can be replaced: not as what it
  /// extends, nor as the type of a field, of a parameter, of a value or of an exception, nor as the
  /// argument or the bound of such a type.
  @Test
  void theEngineIsInNobodysSignature() {
    assertEquals(List.of(), CLASSES.stream().flatMap(of -> shown(of).stream()).toList());
  }

  private static List<String> shown(JavaClass of) {
    var shown = new ArrayList<String>();
    if (!isOpen(of.getModifiers())) {
      return shown;
    }
    var parents = new ArrayList<JavaType>(of.getInterfaces());
    of.getSuperclass().ifPresent(parents::add);
    parents.addAll(of.getTypeParameters());
    for (JavaType parent : parents) {
      add(shown, of.getFullName(), parent.getAllInvolvedRawTypes());
    }
    for (JavaMember member : of.getMembers()) {
      if (isOpen(member.getModifiers())) {
        add(shown, member.getFullName(), member.getAllInvolvedRawTypes());
        if (member instanceof JavaCodeUnit unit) {
          add(shown, member.getFullName(), unit.getExceptionTypes());
        }
      }
    }
    return shown;
  }

  private static boolean isOpen(Set<JavaModifier> modifiers) {
    return modifiers.contains(JavaModifier.PUBLIC) || modifiers.contains(JavaModifier.PROTECTED);
  }

  private static void add(List<String> shown, String where, Collection<JavaClass> types) {
    for (JavaClass type : types) {
      if (type.getBaseComponentType().getPackageName().startsWith("org.bytedeco")) {
        shown.add("%s shows %s".formatted(where, type.getName()));
      }
    }
  }

  static Stream<Class<?>> planted() {
    return Stream.of(PlantedSignatures.class.getDeclaredClasses());
  }

  @ParameterizedTest
  @MethodSource("planted")
  void aTypeOfTheEngineIsFoundWhereverItIsShown(Class<?> planted) {
    var shown = shown(new ClassFileImporter().importClass(planted));
    assertEquals(planted == PlantedSignatures.Nowhere.class, shown.isEmpty(), shown.toString());
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

  /// Every draw is a function of a key: see [RandomKey].
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
