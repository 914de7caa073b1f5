package dev.graft.fold;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.fold.MergeRequest.Repeat;
import dev.graft.fold.Unmerge.Existing;
import dev.graft.io.Progress;
import dev.graft.match.Binder;
import dev.graft.onnx.OnnxModel;
import dev.graft.testing.GoldenCase;
import dev.graft.testing.GoldenCase.Question;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Takes adapters of every kind out of models of every exporter: the base's bytes come back, and the
 * way from one adapter to another ends where a fresh merge does.
 */
class UndoGoldenTest {

  @TempDir Path folder;

  static List<GoldenCase> cases() {
    return GoldenCase.naming("merge").stream().filter(c -> !c.hasSeveralFiles()).toList();
  }

  static List<GoldenCase> sets() {
    return GoldenCase.naming("merge").stream().filter(GoldenCase::hasSeveralFiles).toList();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void unmergeGivesEveryByteBack(GoldenCase golden) throws IOException {
    Path base = golden.file("base.onnx");
    for (String adapter : golden.adapters().keySet()) {
      Path merged = folder.resolve(adapter.replace('/', '-')).resolve("merged.onnx");
      merge(request(base, golden.file(adapter), 1, merged));
      assertUnmerges(merged, base, folder.resolve("back-" + adapter.replace('/', '-')));
    }
  }

  @ParameterizedTest
  @MethodSource("sets")
  void unmergeGivesEveryByteOfEachFileBack(GoldenCase golden) throws IOException {
    List<MergeRequest> requests =
        golden.questions().stream()
            .map(Question::model)
            .distinct()
            .map(n -> request(golden.file(n), golden.file("adapter"), 1, folder.resolve(n)))
            .toList();
    List<Merge> merges =
        MergePlan.of(requests).stream()
            .map(p -> new Merge(p, "graft test", Progress.NONE, UndoPolicy.KEPT))
            .toList();
    new MergeSet(merges).run(2);
    for (MergeRequest request : requests) {
      assertUnmerges(request.output(), request.model(), folder.resolve("back"));
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void switchEndsWhereAFreshMergeDoes(GoldenCase golden) throws IOException {
    Path base = golden.file("base.onnx");
    for (String adapter : golden.adapters().keySet()) {
      String name = adapter.replace('/', '-');
      Path first = folder.resolve(name + "-first").resolve("merged.onnx");
      Path fresh = folder.resolve(name + "-fresh").resolve("other.onnx");
      Path switched = folder.resolve(name + "-switched").resolve("other.onnx");
      merge(request(base, golden.file(adapter), 1, first));
      merge(request(base, golden.file(adapter), -0.5, fresh));
      try (RestoredBase restored = RestoredBase.open(first, Optional.empty())) {
        MergePlan plan =
            MergePlan.of(request(first, golden.file(adapter), -0.5, switched), restored);
        new Merge(plan, "graft test", Progress.NONE, UndoPolicy.KEPT).run(2);
      }
      assertSameFiles(switched.resolveSibling(""), fresh.resolveSibling(""));
    }
  }

  private static MergeRequest request(Path model, Path adapter, double weight, Path output) {
    return new MergeRequest(model, adapter, weight, output, Binder.Options.DERIVED, Repeat.REFUSED);
  }

  private static void merge(MergeRequest request) {
    new Merge(MergePlan.of(request), "graft test", Progress.NONE, UndoPolicy.KEPT).run(2);
  }

  private static void assertUnmerges(Path merged, Path base, Path into) throws IOException {
    Path output = into.resolve(base.getFileName());
    try (RestoredBase restored = RestoredBase.open(merged, Optional.empty())) {
      new Unmerge(restored, output, Existing.REFUSED, Progress.NONE).run(2);
    }
    assertThat(output).hasSameBinaryContentAs(base);
    for (String location : OnnxModel.open(base).dataFiles().sequencedKeySet()) {
      assertThat(into.resolve(location)).hasSameBinaryContentAs(base.resolveSibling(location));
    }
  }

  private static void assertSameFiles(Path found, Path expected) throws IOException {
    try (var files = Files.list(expected)) {
      List<Path> all = files.sorted().toList();
      try (var others = Files.list(found)) {
        assertThat(others.sorted().map(Path::getFileName))
            .containsExactlyElementsOf(all.stream().map(Path::getFileName).toList());
      }
      for (Path file : all) {
        assertThat(found.resolve(file.getFileName())).hasSameBinaryContentAs(file);
      }
    }
  }
}
