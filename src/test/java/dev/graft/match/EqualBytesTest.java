package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.StoredTensor;
import dev.graft.tensor.DType;
import dev.graft.testing.Graphs;
import dev.graft.testing.Values;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EqualBytesTest {

  @TempDir Path folder;

  private record Names(OnnxModel model) {
    boolean same(String a, String b) {
      return new EqualBytes(model).same(tensor(a), tensor(b));
    }

    private StoredTensor tensor(String name) {
      return model.tensors().stream().filter(t -> t.name().equals(name)).findFirst().orElseThrow();
    }
  }

  @Test
  void comparesTypeShapeAndBytesWhereverTheyLie() {
    Values w = Values.random(1, 300, 300);
    Values changed = Values.random(1, 300, 300);
    changed.floats()[89_999] += 1;
    Names names =
        new Names(
            OnnxModel.open(
                Graphs.create()
                    .weight("a", w)
                    .external("b", w, "one.bin")
                    .external("c", w, "two.bin")
                    .weight("last value", changed)
                    .weight("shape", new Values(w.type(), w.shape(), w.floats()).transposed())
                    .weight("flat", Values.random(1, 90_000))
                    .weight("half", w.as(DType.FLOAT16))
                    .weight(Values.random(2, 2).typed("typed"))
                    .weight(Values.random(2, 2).typed("typed too"))
                    .write(folder)));

    assertThat(names.same("a", "a")).isTrue();
    assertThat(names.same("a", "b")).isTrue();
    assertThat(names.same("b", "c")).isTrue();
    assertThat(names.same("a", "last value")).isFalse();
    assertThat(names.same("a", "shape")).isFalse();
    assertThat(names.same("a", "flat")).isFalse();
    assertThat(names.same("a", "half")).isFalse();
    assertThat(names.same("typed", "typed")).isTrue();
  }
}
