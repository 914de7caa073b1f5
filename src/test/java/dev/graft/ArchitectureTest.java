package dev.graft;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static java.util.Map.entry;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Holds the code to the table of packages; whoever adds a package or an arrow changes it here. */
final class ArchitectureTest {
  private static final String ROOT = "dev.graft.";

  /**
   * Which package names which. A package may also use whatever those use, down to {@code error},
   * which every package may use; {@code cli} may use all.
   */
  private static final Map<String, List<String>> MAY_USE =
      Map.ofEntries(
          entry("error", List.of()),
          entry("tensor", List.of("error")),
          entry("io", List.of("tensor")),
          entry("safetensors", List.of("tensor", "io")),
          entry("adapter", List.of("safetensors", "tensor")),
          entry("onnx", List.of("tensor", "io")),
          entry("graph", List.of("onnx")),
          entry("match", List.of("graph", "adapter")),
          entry("undo", List.of("tensor", "io")),
          entry("fold", List.of("match", "onnx", "undo")),
          // What an adapter replaces whole goes into a model with branches as it does in a merge.
          entry("inject", List.of("match", "onnx", "fold", "onnxadapter")),
          entry("autodiff", List.of("graph")),
          entry("flatbuffers", List.of("io")),
          entry("onnxadapter", List.of("flatbuffers")),
          entry("runtime", List.of("onnxadapter")),
          entry("train", List.of("inject", "autodiff", "runtime")),
          // Checking the weights of a merged file repeats the fold, tensor by tensor.
          entry("verify", List.of("runtime", "onnx", "fold")),
          entry("cli", List.of("inject", "fold", "train", "verify")));

  private static final JavaClasses CODE =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("dev.graft");

  static Stream<String> packages() {
    return MAY_USE.keySet().stream().sorted();
  }

  @ParameterizedTest
  @MethodSource("packages")
  void usesOnlyThePackagesBelowIt(String name) {
    String[] banned =
        packages()
            .filter(other -> !reach(name).contains(other))
            .map(ArchitectureTest::within)
            .toArray(String[]::new);
    noClasses()
        .that()
        .resideInAPackage(within(name))
        .should()
        .dependOnClassesThat(resideInAnyPackage(banned))
        .as("'" + name + "' uses only " + reach(name))
        .allowEmptyShould(true)
        .check(CODE);
  }

  @Test
  void hasNoPackageOutsideTheTable() {
    classes()
        .that()
        .resideInAPackage(ROOT + ".")
        .should()
        .resideInAnyPackage(packages().map(ArchitectureTest::within).toArray(String[]::new))
        .check(CODE);
  }

  @Test
  void hasNoCycleOfPackages() {
    slices().matching(ROOT + "(*)..").should().beFreeOfCycles().check(CODE);
  }

  @Test
  void namesOnnxRuntimeOnlyInRuntime() {
    onlyIn("runtime", "org.bytedeco..", "ai.onnxruntime..");
  }

  @Test
  void namesPicocliOnlyInCli() {
    onlyIn("cli", "picocli..");
  }

  @Test
  void endsTheProcessOnlyInMain() {
    noClasses()
        .that()
        .doNotHaveFullyQualifiedName(ROOT + "cli.Main")
        .should()
        .callMethod(System.class, "exit", int.class)
        .check(CODE);
  }

  private static void onlyIn(String home, String... library) {
    noClasses()
        .that()
        .resideOutsideOfPackage(within(home))
        .should()
        .dependOnClassesThat(resideInAnyPackage(library))
        .check(CODE);
  }

  private static String within(String name) {
    return ROOT + name + "..";
  }

  /** The package itself and everything below it. */
  private static Set<String> reach(String name) {
    Set<String> reached = new TreeSet<>();
    Deque<String> open = new ArrayDeque<>(List.of(name));
    while (!open.isEmpty()) {
      String next = open.pop();
      if (reached.add(next)) {
        open.addAll(MAY_USE.getOrDefault(next, List.of()));
      }
    }
    return reached;
  }
}
