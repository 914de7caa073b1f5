package dev.graft.fold;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.io.Progress;
import dev.graft.onnx.OnnxModel;
import dev.graft.tensor.DType;
import dev.graft.tensor.TensorSource;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FoldCheckTest {

  @TempDir Path folder;

  private MergePlan plan(LinearModel model) throws IOException {
    return MergePlan.of(
        MergeRequest.of(
            model.writeModel(folder.resolve("base")),
            model.writeAdapter(folder.resolve("adapter")),
            folder.resolve("merged.onnx")));
  }

  private static FoldCheck.Report check(MergePlan plan) {
    return new FoldCheck(plan, plan.request().output(), Progress.NONE).run();
  }

  @Test
  void findsASingleWeightThatIsOff() throws IOException {
    MergePlan plan = plan(new LinearModel(DType.FLOAT16, DType.FLOAT32, 1));
    Path merged = plan.request().output();
    new Merge(plan, "graft test", Progress.NONE).run(1);
    TensorSource head =
        OnnxModel.open(merged).tensors().stream()
            .filter(t -> t.label().equals("head.weight"))
            .findFirst()
            .flatMap(t -> t.source())
            .orElseThrow();
    byte[] bytes = Files.readAllBytes(merged);
    bytes[(int) head.offset() + 2 * 71] ^= 1;
    Files.write(merged, bytes);
    assertThat(check(plan).differences())
        .singleElement()
        .satisfies(d -> assertThat(d.name()).isEqualTo("head.weight"))
        .satisfies(
            d -> assertThat(d.found()).isEqualTo("1 elements differ, the first at index 71"));
  }

  @Test
  void findsABaseThatWasNotFolded() throws IOException {
    MergePlan plan = plan(new LinearModel(DType.FLOAT32, DType.FLOAT32, 2));
    Files.copy(plan.request().model(), plan.request().output());
    assertThat(check(plan).differences()).hasSize(2).allMatch(d -> d.expected().equals("fold"));
  }

  @Test
  void findsAChangedNode() throws IOException {
    MergePlan plan = plan(new LinearModel(DType.FLOAT32, DType.FLOAT32, 3));
    Path merged = plan.request().output();
    new Merge(plan, "graft test", Progress.NONE).run(1);
    String text = Files.readString(merged, StandardCharsets.ISO_8859_1);
    Files.writeString(
        merged, text.replace("/fc/MatMul", "/fc/MatMux"), StandardCharsets.ISO_8859_1);
    assertThat(check(plan).differences())
        .singleElement()
        .satisfies(d -> assertThat(d.found()).isEqualTo("another node"));
  }

  @Test
  void acceptsWhatAMergeMakes() throws IOException {
    MergePlan plan = plan(new LinearModel(DType.BFLOAT16, DType.BFLOAT16, 4));
    new Merge(plan, "graft test", Progress.NONE).run(2);
    FoldCheck.Report report = check(plan);
    assertThat(report.holds()).isTrue();
    assertThat(report.folded()).isEqualTo(2);
    assertThat(report.nodes()).isEqualTo(2);
  }
}
