package dev.graft.fold;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.io.Progress;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.StoredTensor;
import dev.graft.safetensors.SafetensorsData;
import dev.graft.safetensors.SafetensorsFile;
import dev.graft.safetensors.SafetensorsTensor;
import dev.graft.tensor.Shape;
import dev.graft.testing.Folding;
import dev.graft.testing.GoldenCase;
import dev.graft.testing.Values;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** DoRA on weights of half precision, against the weights that PEFT's merge writes. */
class HalfDoraTest {

  @TempDir Path folder;

  static List<GoldenCase> cases() {
    return GoldenCase.naming("merge").stream()
        .filter(found -> Files.exists(found.file("merged.safetensors")))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void givesPeftsWeightsToTheLastBit(GoldenCase golden) {
    Path output = folder.resolve("merged.onnx");
    MergePlan plan =
        MergePlan.of(MergeRequest.of(golden.file("base.onnx"), golden.file("adapter"), output));
    new Merge(plan, "graft test", Progress.NONE).run(1);

    List<float[]> pefts = new ArrayList<>();
    for (SafetensorsTensor tensor :
        SafetensorsFile.open(golden.file("merged.safetensors")).tensors().values()) {
      Values values = values(tensor);
      pefts.add(values.floats());
      if (tensor.shape().rank() == 2) {
        pefts.add(values.transposed().floats());
      }
    }
    assertThat(plan.tensors()).isNotEmpty();
    for (FoldedTensor folded : plan.tensors()) {
      float[] found = Folding.stored(output, folded.outputName());
      assertThat(pefts).as(folded.outputName()).anyMatch(peft -> Arrays.equals(peft, found));
      assertThat(type(output, folded.outputName()))
          .isEqualTo(type(golden.file("base.onnx"), folded.outputName()));
    }
  }

  private static Values values(SafetensorsTensor tensor) {
    Shape shape = tensor.shape();
    return new Values(tensor.dtype(), shape, SafetensorsData.readFloats(tensor));
  }

  private static int type(Path model, String name) {
    return OnnxModel.open(model).tensors().stream()
        .filter(t -> t.label().equals(name))
        .map(StoredTensor::proto)
        .findFirst()
        .orElseThrow()
        .getDataType();
  }
}
