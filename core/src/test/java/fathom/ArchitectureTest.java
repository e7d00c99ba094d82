package fathom;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The arrows of ARCHITECTURE.md, and what CONTRIBUTING.md rejects.
class ArchitectureTest {
  private static final JavaClasses CORE =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("fathom");

  static Stream<ArchRule> rules() {
    return Stream.of(
        noClasses()
            .that()
            .resideOutsideOfPackage("fathom")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.bytedeco.."),
        see("fathom", "fathom"),
        see("fathom.kernel", "fathom"),
        see("fathom.data", "fathom"),
        see("fathom.io", "fathom"),
        see("fathom.loss", "fathom"),
        see("fathom.optim", "fathom"),
        see("fathom.nn", "fathom", "fathom.kernel"),
        see("fathom.net", "fathom", "fathom.nn"),
        noClasses()
            .should()
            .haveSimpleNameStartingWith("Abstract")
            .orShould()
            .haveSimpleNameEndingWith("Impl")
            .orShould()
            .haveSimpleNameEndingWith("Manager")
            .orShould()
            .haveSimpleNameEndingWith("Helper")
            .orShould()
            .haveSimpleNameEndingWith("Utils"),
        noClasses()
            .should()
            .dependOnClassesThat()
            .haveFullyQualifiedName("java.util.Random")
            .orShould()
            .callMethod(Math.class, "random")
            .because("every draw is a function of its key: use Draw"),
        noClasses()
            .should()
            .callMethod(System.class, "gc")
            .because("scopes free native memory, the collector does not"));
  }

  /// Classes of `from` depend on none of Fathom's packages but `from` and these.
  private static ArchRule see(String from, String... seen) {
    var allowed = Stream.concat(Stream.of(from), Stream.of(seen)).toArray(String[]::new);
    return noClasses()
        .that()
        .resideInAPackage(from)
        .should()
        .dependOnClassesThat(
            com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage("fathom..")
                .and(
                    com.tngtech.archunit.base.DescribedPredicate.not(
                        com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage(
                            allowed))));
  }

  @ParameterizedTest
  @MethodSource("rules")
  void holds(ArchRule rule) {
    rule.check(CORE);
  }
}
