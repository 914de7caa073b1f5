package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.onnx.GraphEdit.Declaration;
import dev.graft.onnx.GraphEdit.RenameOutput;
import dev.graft.onnx.GraphEdit.ReplaceTensor;
import dev.graft.onnx.GraphEdit.SetAttribute;
import dev.graft.onnx.GraphEdit.SetDimension;
import dev.graft.onnx.GraphEdit.SetInput;
import dev.graft.onnx.Outputs.Length;
import dev.graft.onnx.proto.AttributeProto;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GraphEditTest {

  @TempDir Path folder;

  private Edited sample;

  @BeforeEach
  void sample() throws IOException {
    SampleModel.write(folder);
    sample = Edited.base(folder, SampleModel.proto());
  }

  @Test
  void refusesOutputsThatTheNodeDoesNotHave() {
    for (int output : new int[] {-1, 1}) {
      assertThatThrownBy(() -> new RenameOutput(sample.node(2), output, "v"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("node 'node_y' has 1 outputs, none with index " + output);
    }
  }

  @Test
  void refusesOutputsWithoutAName() {
    assertThatThrownBy(() -> new RenameOutput(sample.node(2), 0, ""))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("output 0 of node 'node_y' needs a name");
  }

  @Test
  void refusesInputsThatNoNodeHas() {
    for (int input : new int[] {-1, 1 << 16, Integer.MAX_VALUE}) {
      assertThatThrownBy(() -> new SetInput(sample.node(2), input, "v"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("node 'node_y' has 2 inputs and can have none with index " + input);
    }
  }

  @Test
  void refusesAttributesWithoutAName() {
    AttributeProto attribute = Attributes.of("", 1);
    assertThatThrownBy(() -> new SetAttribute(sample.node(2), attribute))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a new attribute of node 'node_y' needs a name");
  }

  @Test
  void refusesToReplaceATensorUnderAnotherName() {
    NewTensor other = new NewTensor("other", DType.INT8, Shape.of(1), new Length(1));
    assertThatThrownBy(() -> new ReplaceTensor(sample.tensor("far"), other))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("tensor 'far' has the name 'far', its replacement 'other'");
  }

  @Test
  void refusesNegativeSizes() {
    assertThatThrownBy(() -> new SetDimension(Declaration.OUTPUT, "y", 1, -2))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("dimension 1 of 'y' cannot be -2");
  }
}
