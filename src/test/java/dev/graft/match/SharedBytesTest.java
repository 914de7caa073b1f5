package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.StoredTensor;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import dev.graft.testing.Graphs;
import dev.graft.testing.Values;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SharedBytesTest {

  private static final String FILE = "weights.bin";

  @TempDir Path folder;

  private static StoredTensor tensor(OnnxModel model, String name) {
    return model.tensors().stream().filter(t -> t.name().equals(name)).findFirst().orElseThrow();
  }

  @Test
  void tellsTwinsFromOverlapsAndNeighbours() {
    Values w = Values.random(1, 4, 4);
    OnnxModel model =
        OnnxModel.open(
            Graphs.create()
                .external("a", w, FILE)
                .external("b", w, FILE, 0)
                .external("next", w, FILE)
                .external("inner", Values.random(1, 2), FILE, 64)
                .external("far", w, FILE)
                .external("flat", Values.random(1, 16), FILE, 128)
                .external("elsewhere", w, "other.bin")
                .weight("embedded", w)
                .external("empty", new Values(DType.FLOAT32, Shape.of(0), new float[0]), FILE, 0)
                .write(folder));
    SharedBytes shared = new SharedBytes(model);

    assertThat(shared.twins(tensor(model, "a")))
        .extracting(StoredTensor::name)
        .containsExactly("a", "b");
    assertThat(shared.twins(tensor(model, "next"))).hasSize(1);
    assertThat(shared.twins(tensor(model, "embedded"))).hasSize(1);
    assertThat(shared.overlaps(tensor(model, "a"))).isFalse();
    assertThat(shared.overlaps(tensor(model, "next"))).isTrue();
    assertThat(shared.overlaps(tensor(model, "inner"))).isTrue();
    assertThat(shared.overlaps(tensor(model, "far"))).as("seen in another shape").isTrue();
    assertThat(shared.overlaps(tensor(model, "elsewhere"))).isFalse();
    assertThat(shared.overlaps(tensor(model, "empty"))).isFalse();
  }
}
