package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.onnx.GraphEdit.AddFunctionInput;
import dev.graft.onnx.GraphEdit.AddValue;
import dev.graft.onnx.GraphEdit.Declaration;
import dev.graft.onnx.GraphEdit.ImportInFunction;
import dev.graft.onnx.GraphEdit.ImportOperators;
import dev.graft.onnx.GraphEdit.RemoveValue;
import dev.graft.onnx.GraphEdit.ReplaceValue;
import dev.graft.onnx.GraphEdit.SetDimension;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.OperatorSetIdProto;
import dev.graft.onnx.proto.ValueInfoProto;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StructureEditsTest {

  @TempDir Path folder;

  private Edited sample;

  @BeforeEach
  void sample() throws IOException {
    SampleModel.write(folder);
    ModelProto.Builder model = SampleModel.proto().toBuilder();
    model
        .getGraphBuilder()
        .addInput(value("mask", 2, 3))
        .addOutput(value("y", 2, 3, 4))
        .addOutput(value("pooled", 5))
        .addValueInfo(value("v", 6))
        .addValueInfo(value("w", 7));
    model
        .getGraphBuilder()
        .getOutputBuilder(0)
        .setDocString("logits")
        .getTypeBuilder()
        .getTensorTypeBuilder()
        .getShapeBuilder()
        .getDimBuilder(0)
        .setDimParam("batch")
        .setDenotation("DATA_BATCH");
    model.getFunctionsBuilder(0).addInput("a").addOpsetImport(operatorSet("", 18));
    sample = Edited.base(folder, model.build());
  }

  @Test
  void refusesValuesThatAreNotDeclaredAndAxesThatAreNotThere() {
    for (GraphEdit edit :
        List.of(
            new RemoveValue(Declaration.VALUE_INFO, "y"),
            new ReplaceValue(Declaration.VALUE_INFO, value("y")),
            new SetDimension(Declaration.VALUE_INFO, "y", 0, 1))) {
      refuses("the main graph has no VALUE_INFO 'y'", edit);
    }
    for (int axis : new int[] {3, -4}) {
      refuses(
          "'y' is declared with 3 dimensions, none at axis " + axis,
          new SetDimension(Declaration.OUTPUT, "y", axis, 1));
    }
    refuses(
        "'x' is declared with 0 dimensions, none at axis 0",
        new SetDimension(Declaration.INPUT, "x", 0, 1));
  }

  @Test
  void refusesASecondDeclarationAndOneThatIsRemoved() {
    GraphEdit remove = new RemoveValue(Declaration.OUTPUT, "y");
    refuses(
        "the main graph has the OUTPUT 'y' already", new AddValue(Declaration.OUTPUT, value("y")));
    refuses("the main graph has no OUTPUT 'y'", remove, remove);
    refuses(
        "the main graph has no OUTPUT 'y'",
        remove,
        new SetDimension(Declaration.OUTPUT, "y", 0, 1));
  }

  @Test
  void setsDimensionsCountedFromBothEnds() throws IOException {
    sample.gives(
        m -> {
          GraphProto.Builder graph = m.getGraphBuilder();
          ValueInfoProto.Builder y = graph.getOutputBuilder(0);
          dim(y, 0, 9);
          dim(y, 2, 300);
          dim(graph.getInputBuilder(1), 1, 0);
          dim(graph.getValueInfoBuilder(1), 0, 8);
          return m;
        },
        new SetDimension(Declaration.OUTPUT, "y", -1, 200),
        new SetDimension(Declaration.OUTPUT, "y", 0, 9),
        new SetDimension(Declaration.OUTPUT, "y", 2, 300),
        new SetDimension(Declaration.INPUT, "mask", -1, 0),
        new SetDimension(Declaration.VALUE_INFO, "w", 0, 8));
  }

  @Test
  void addsReplacesAndRemovesDeclarations() throws IOException {
    sample.gives(
        m -> {
          GraphProto.Builder graph = m.getGraphBuilder();
          graph.addInput(value("lora_A", 8, 0)).addInput(value("lora_B", 0, 8));
          graph.removeOutput(1).setOutput(0, value("y", 1)).addOutput(value("z", 3, 4));
          graph.removeValueInfo(0);
          return m;
        },
        new AddValue(Declaration.INPUT, value("lora_A", 8, 0)),
        new AddValue(Declaration.INPUT, value("lora_B", 0, 8)),
        new RemoveValue(Declaration.OUTPUT, "pooled"),
        new ReplaceValue(Declaration.OUTPUT, value("y", 1)),
        new AddValue(Declaration.OUTPUT, value("z", 3, 2)),
        new SetDimension(Declaration.OUTPUT, "z", 1, 4),
        new RemoveValue(Declaration.VALUE_INFO, "v"));
  }

  @Test
  void takesBackWhatItAdded() throws IOException {
    sample.gives(
        m -> m,
        new AddValue(Declaration.INPUT, value("a", 1)),
        new RemoveValue(Declaration.INPUT, "a"));
  }

  @Test
  void meansEveryEntryOfAName() throws IOException {
    ModelProto.Builder model = SampleModel.proto().toBuilder();
    model.getGraphBuilder().addInput(value("a", 1)).addInput(value("b", 1));
    model.getGraphBuilder().addInput(value("b", 2)).addInput(value("a", 1));
    Edited base = Edited.base(folder, model.build());
    base.gives(
        m -> {
          GraphProto.Builder graph = m.getGraphBuilder();
          dim(graph.getInputBuilder(1), 0, 7);
          dim(graph.getInputBuilder(4), 0, 7);
          graph.removeInput(3).removeInput(2);
          return m;
        },
        new SetDimension(Declaration.INPUT, "a", 0, 7),
        new RemoveValue(Declaration.INPUT, "b"));
  }

  @Test
  void importsOperatorsOnce() throws IOException {
    FunctionPart function = sample.model().functions().getFirst();
    sample.gives(
        m -> {
          m.addOpsetImport(operatorSet("com.microsoft", 1));
          m.getFunctionsBuilder(0).addOpsetImport(operatorSet("local", 2));
          return m;
        },
        new ImportOperators("com.microsoft", 1),
        new ImportOperators("com.microsoft", 1),
        new ImportOperators("ai.onnx", 18),
        new ImportInFunction(function, "", 18),
        new ImportInFunction(function, "local", 2),
        new ImportInFunction(function, "local", 2));
  }

  @Test
  void importsOperatorsWhereNothingIsImported() throws IOException {
    Edited base = Edited.base(folder, Wire.model(Wire.message(1, Wire.string(4, "Relu"))));
    ModelProto expected =
        base.model().proto().toBuilder().addOpsetImport(operatorSet("", 17)).build();
    assertThat(ModelProto.parseFrom(base.bytes(new ImportOperators("", 17)))).isEqualTo(expected);
  }

  @Test
  void givesAFunctionMoreInputs() throws IOException {
    FunctionPart function = sample.model().functions().getFirst();
    sample.gives(
        m -> {
          m.getFunctionsBuilder(0).addInput("b").addInput("c".repeat(200));
          return m;
        },
        new AddFunctionInput(function, "b"),
        new AddFunctionInput(function, "c".repeat(200)));
  }

  private void refuses(String message, GraphEdit... edits) {
    assertThatThrownBy(() -> sample.plan(edits))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(message);
  }

  private static void dim(ValueInfoProto.Builder value, int axis, long size) {
    value
        .getTypeBuilder()
        .getTensorTypeBuilder()
        .getShapeBuilder()
        .getDimBuilder(axis)
        .clearDimParam()
        .setDimValue(size);
  }

  private static ValueInfoProto value(String name, long... dims) {
    ValueInfoProto.Builder value = ValueInfoProto.newBuilder().setName(name);
    value.getTypeBuilder().getTensorTypeBuilder().setElemType(1);
    for (long dim : dims) {
      value
          .getTypeBuilder()
          .getTensorTypeBuilder()
          .getShapeBuilder()
          .addDimBuilder()
          .setDimValue(dim);
    }
    return value.build();
  }

  private static OperatorSetIdProto operatorSet(String domain, long version) {
    return OperatorSetIdProto.newBuilder().setDomain(domain).setVersion(version).build();
  }
}
