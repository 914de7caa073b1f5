package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.onnx.Outputs.Length;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import org.junit.jupiter.api.Test;

class NewTensorTest {

  @Test
  void refusesContentOfAnotherLength() {
    assertThatThrownBy(() -> new NewTensor("n", DType.FLOAT16, Shape.of(3), new Length(8)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("new tensor 'n' has 8 bytes, not 6");
  }

  @Test
  void refusesTypesThatRawDataCannotHold() {
    for (DType type : new DType[] {DType.STRING, DType.FLOAT6E2M3}) {
      assertThatThrownBy(() -> new NewTensor("n", type, Shape.of(0), new Length(0)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("new tensor 'n' cannot be of type " + type);
    }
  }
}
