package dev.graft.fold;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.UnsupportedException;
import dev.graft.fold.InPlaceUpdate.Mapped;
import dev.graft.fold.MergeRequest.Repeat;
import dev.graft.fold.Unmerge.Existing;
import dev.graft.io.Progress;
import dev.graft.match.Binder;
import dev.graft.onnx.OnnxModel;
import dev.graft.testing.GoldenCase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Merges, switches and unmerges models of every exporter in their own files: the bytes are those of
 * a new file, and in the end those of the base.
 */
class InPlaceGoldenTest {

  @TempDir Path folder;

  static List<GoldenCase> others() {
    return cases().filter(c -> !keepsLayout(c)).toList();
  }

  static List<GoldenCase> kept() {
    return cases().filter(InPlaceGoldenTest::keepsLayout).toList();
  }

  private static Stream<GoldenCase> cases() {
    return GoldenCase.naming("merge").stream().filter(c -> !c.hasSeveralFiles());
  }

  private static boolean keepsLayout(GoldenCase golden) {
    return golden.adapters().keySet().stream()
        .map(a -> MergePlan.of(request(golden.file("base.onnx"), golden.file(a), 1)))
        .allMatch(p -> p.edits().isEmpty() && p.addedBytes() == 0);
  }

  @ParameterizedTest
  @MethodSource("others")
  void anotherLayoutIsRefusedBeforeAnythingIsWritten(GoldenCase golden) throws IOException {
    for (String adapter : golden.adapters().keySet()) {
      Path model = copy(golden, adapter + "/changed");
      MergeRequest request = request(model, golden.file(adapter), 1);
      if (MergePlan.of(request).edits().isEmpty() && MergePlan.of(request).addedBytes() == 0) {
        continue;
      }
      assertThatThrownBy(() -> merge(request))
          .isInstanceOf(UnsupportedException.class)
          .hasMessageContaining("in place keeps the layout");
      assertIsBase(model, golden);
      assertThat(names(model)).doesNotContain("base.onnx.undo", "base.onnx.journal");
    }
  }

  @ParameterizedTest
  @MethodSource("kept")
  void theModelIsInTurnWhatNewFilesWouldBeAndTheBaseAgain(GoldenCase golden) throws IOException {
    for (String adapter : golden.adapters().keySet()) {
      Path model = copy(golden, adapter + "/changed");
      Path fresh = copy(golden, adapter + "/fresh");
      merge(request(model, golden.file(adapter), 1));
      assertIsMerge(model, golden.file(adapter), golden);
      switchTo(request(model, golden.file(adapter), -0.5));
      merge(request(fresh, golden.file(adapter), -0.5));
      assertSameFiles(model, fresh);
      unmerge(model);
      assertIsBase(model, golden);
      assertThat(names(model)).doesNotContain("base.onnx.undo", "base.onnx.journal", "base.lock");
    }
  }

  /** A base with embedded weights has no names of data files that could differ. */
  private void assertIsMerge(Path model, Path adapter, GoldenCase golden) throws IOException {
    if (!OnnxModel.open(golden.file("base.onnx")).dataFiles().isEmpty()) {
      return;
    }
    Path apart = folder.resolve("apart-" + adapter.getFileName()).resolve("base.onnx");
    MergeRequest request =
        new MergeRequest(
            golden.file("base.onnx"), adapter, 1, apart, Binder.Options.DERIVED, Repeat.REFUSED);
    new Merge(MergePlan.of(request), "graft test", Progress.NONE, UndoPolicy.KEPT).run(2);
    assertThat(model).hasSameBinaryContentAs(apart);
    assertThat(UndoRecord.pathFor(model)).hasSameBinaryContentAs(UndoRecord.pathFor(apart));
  }

  private static MergeRequest request(Path model, Path adapter, double weight) {
    return new MergeRequest(model, adapter, weight, model, Binder.Options.DERIVED, Repeat.REFUSED)
        .inPlace();
  }

  private static void merge(MergeRequest request) {
    try (InPlaceUpdate update = InPlaceUpdate.begin(request.model(), Mapped.REFUSED)) {
      new Merge(MergePlan.of(request), "graft test", Progress.NONE, UndoPolicy.KEPT).run(update, 2);
    }
  }

  private static void switchTo(MergeRequest request) {
    try (InPlaceUpdate update = InPlaceUpdate.begin(request.model(), Mapped.REFUSED);
        RestoredBase base = RestoredBase.open(request.model(), Optional.empty())) {
      MergePlan plan = MergePlan.of(request, base);
      new Merge(plan, "graft test", Progress.NONE, UndoPolicy.KEPT).run(update, 2);
    }
  }

  private static void unmerge(Path model) {
    try (InPlaceUpdate update = InPlaceUpdate.begin(model, Mapped.REFUSED);
        RestoredBase base = RestoredBase.open(model, Optional.empty())) {
      new Unmerge(base, model, Existing.REFUSED, Progress.NONE).run(update, 2);
    }
  }

  private Path copy(GoldenCase golden, String name) throws IOException {
    Path from = golden.file("base.onnx");
    Path to = Files.createDirectories(folder.resolve(name)).resolve("base.onnx");
    Files.copy(from, to);
    for (String location : OnnxModel.open(from).dataFiles().sequencedKeySet()) {
      Files.copy(from.resolveSibling(location), to.resolveSibling(location));
    }
    return to;
  }

  private static void assertIsBase(Path model, GoldenCase golden) {
    Path base = golden.file("base.onnx");
    assertThat(model).hasSameBinaryContentAs(base);
    for (String location : OnnxModel.open(base).dataFiles().sequencedKeySet()) {
      assertThat(model.resolveSibling(location))
          .hasSameBinaryContentAs(base.resolveSibling(location));
    }
  }

  private static List<String> names(Path model) throws IOException {
    try (Stream<Path> files = Files.list(model.resolveSibling(""))) {
      return files.map(f -> String.valueOf(f.getFileName())).sorted().toList();
    }
  }

  private static void assertSameFiles(Path model, Path other) throws IOException {
    assertThat(names(model)).isEqualTo(names(other));
    for (String name : names(other)) {
      assertThat(model.resolveSibling(name)).hasSameBinaryContentAs(other.resolveSibling(name));
    }
  }
}
