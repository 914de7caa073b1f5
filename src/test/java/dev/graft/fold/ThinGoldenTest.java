package dev.graft.fold;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.fold.MergeRequest.Repeat;
import dev.graft.io.Progress;
import dev.graft.match.Binder;
import dev.graft.onnx.OnnxModel;
import dev.graft.runtime.SessionSettings;
import dev.graft.testing.GoldenCase;
import dev.graft.testing.GoldenCase.Question;
import dev.graft.verify.Inputs;
import dev.graft.verify.Parity;
import dev.graft.verify.ParityReport;
import dev.graft.verify.Reference;
import dev.graft.verify.Tolerance;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Thin models of adapters of every kind on bases of every exporter: made to stand alone they are
 * the ordinary merge, and they run as it does.
 */
class ThinGoldenTest {

  @TempDir Path folder;

  static List<GoldenCase> cases() {
    return GoldenCase.naming("merge").stream().filter(c -> !c.hasSeveralFiles()).toList();
  }

  static List<GoldenCase> sets() {
    return GoldenCase.naming("merge").stream().filter(GoldenCase::hasSeveralFiles).toList();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void materializedIsTheOrdinaryMergeAndThinRunsLikeIt(GoldenCase golden) throws IOException {
    Path base = copied(golden.file("base.onnx"));
    for (String adapter : golden.adapters().keySet()) {
      String name = adapter.replace('/', '-');
      Path full = folder.resolve(name + "-full").resolve("merged.onnx");
      Path thin = folder.resolve(name + ".onnx");
      new Merge(MergePlan.of(request(base, golden.file(adapter), full)), "t", Progress.NONE).run(2);
      thin(List.of(request(base, golden.file(adapter), thin)));
      assertMaterializes(thin, full);
      for (Question question : golden.questions()) {
        assertRunsLike(thin, full, golden.file(question.inputs()));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("sets")
  void soIsAModelInSeveralFiles(GoldenCase golden) throws IOException {
    List<String> names = golden.questions().stream().map(Question::model).distinct().toList();
    Path adapter = golden.file("adapter");
    List<Path> bases = names.stream().map(n -> copied(golden.file(n))).toList();
    Path full = folder.resolve("full");
    new MergeSet(
            MergePlan.of(bases.stream().map(b -> request(b, adapter, in(full, b))).toList())
                .stream()
                .map(p -> new Merge(p, "t", Progress.NONE))
                .toList())
        .run(2);
    thin(bases.stream().map(b -> request(b, adapter, in(folder, b))).toList());
    for (Path base : bases) {
      assertMaterializes(in(folder, base), in(full, base));
    }
    for (Question question : golden.questions()) {
      Path base = folder.resolve("base").resolve(question.model());
      assertRunsLike(in(folder, base), in(full, base), golden.file(question.inputs()));
    }
  }

  private static Path in(Path folder, Path model) {
    return folder.resolve(model.getFileName());
  }

  private Path copied(Path base) {
    Path copy = folder.resolve("base").resolve(base.getFileName());
    try {
      Files.createDirectories(copy.getParent());
      Files.copy(base, copy);
      for (Path data : OnnxModel.open(base).dataFiles().values()) {
        if (!Files.exists(copy.resolveSibling(data.getFileName()))) {
          Files.copy(data, copy.resolveSibling(data.getFileName()));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return copy;
  }

  private static MergeRequest request(Path model, Path adapter, Path output) {
    return new MergeRequest(model, adapter, 1, output, Binder.Options.DERIVED, Repeat.REFUSED);
  }

  private static void thin(List<MergeRequest> requests) {
    ThinMerge.run(
        MergePlan.of(requests).stream()
            .map(p -> new ThinMerge(new Merge(p, "t", Progress.NONE)))
            .toList(),
        2);
  }

  private void assertMaterializes(Path thin, Path full) throws IOException {
    Path alone = folder.resolve("alone-" + thin.getFileName()).resolve(full.getFileName());
    try (ThinBase base = ThinBase.open(thin)) {
      new Materialize(base, alone, Progress.NONE).run(2);
    }
    assertThat(alone).hasSameBinaryContentAs(full);
    for (String location : OnnxModel.open(full).dataFiles().sequencedKeySet()) {
      assertThat(alone.resolveSibling(location))
          .hasSameBinaryContentAs(full.resolveSibling(location));
    }
  }

  private static void assertRunsLike(Path thin, Path full, Path inputs) {
    Tolerance exact = Tolerance.of(OptionalDouble.of(0), OptionalDouble.of(0));
    SessionSettings settings = SessionSettings.defaults().withIntraOpThreads(1);
    ParityReport report =
        new Parity(settings, exact)
            .compare(thin, new Reference.Model(full), new Inputs.Stored(inputs));
    assertThat(report.holds()).as(report.toString()).isTrue();
  }
}
