package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.onnx.GraphEdit.AddFunctionInput;
import dev.graft.onnx.GraphEdit.AddInitializer;
import dev.graft.onnx.GraphEdit.ImportInFunction;
import dev.graft.onnx.GraphEdit.ImportOperators;
import dev.graft.onnx.GraphEdit.InsertNodes;
import dev.graft.onnx.GraphEdit.Keeping;
import dev.graft.onnx.GraphEdit.RemoveInitializer;
import dev.graft.onnx.GraphEdit.RemoveNode;
import dev.graft.onnx.GraphEdit.RenameOutput;
import dev.graft.onnx.GraphEdit.ReplaceTensor;
import dev.graft.onnx.GraphEdit.SetAttribute;
import dev.graft.onnx.GraphEdit.SetInput;
import dev.graft.onnx.Outputs.Length;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EditLogTest {

  @TempDir Path folder;
  @TempDir Path otherFolder;

  private Edited sample;
  private NodePart loop;
  private NodePart inner;

  @BeforeEach
  void sample() throws IOException {
    SampleModel.write(folder);
    sample = Edited.base(folder, SampleModel.proto());
    loop = sample.node(1);
    inner = loop.subgraphs().getFirst().nodes().getFirst();
  }

  @Test
  void refusesToSetOnePlaceTwice() {
    NodePart matMul = sample.node(2);
    refuses(
        "output 0 of 'node_y' is set twice",
        new RenameOutput(matMul, 0, "a"),
        new RenameOutput(matMul, 0, "b"));
    refuses(
        "input 5 of 'node_y' is set twice",
        new SetInput(matMul, 5, "a"),
        new SetInput(matMul, 5, "a"));
    refuses(
        "attribute 'a' of 'node_y' is set twice",
        new SetAttribute(matMul, Attributes.of("a", 1)),
        new SetAttribute(matMul, Attributes.of("a", 2)));
  }

  @Test
  void refusesEditsOfWhatIsRemovedAndOfWhatIsBelow() {
    for (GraphEdit edit : editsInTheLoop()) {
      refuses("another edit removes or replaces it", new RemoveNode(loop), edit);
    }
  }

  @Test
  void refusesToRemoveWhatIsChangedOrHoldsAChange() {
    for (GraphEdit edit : editsInTheLoop()) {
      refuses("cannot be removed or replaced: another edit changes it", edit, new RemoveNode(loop));
    }
  }

  @Test
  void refusesToRemoveTwice() {
    StoredTensor embedded = sample.tensor("embedded");
    refuses("another edit changes it", new RemoveNode(loop), new RemoveNode(loop));
    refuses(
        "another edit changes it",
        new RemoveInitializer(embedded),
        new RemoveInitializer(embedded));
    refuses("another edit changes it", new RemoveInitializer(embedded), replacement(embedded));
  }

  @Test
  void refusesNewValuesForWhatIsRemovedOrReplacedAndTheOtherWayRound() {
    StoredTensor far = sample.tensor("far");
    Consumer<ModelPatch> values = p -> p.replaceValues(far, new Length(32));
    for (GraphEdit edit : List.of(new RemoveInitializer(far), replacement(far))) {
      Consumer<ModelPatch> whole = p -> p.apply(edit);
      assertThatThrownBy(() -> sample.patch(whole.andThen(values)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("'far' cannot be changed");
      assertThatThrownBy(() -> sample.patch(values.andThen(whole)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("'far' cannot be removed or replaced");
    }
  }

  @Test
  void refusesATensorAndTheAttributeAroundIt() {
    NodePart constant = sample.node(0);
    GraphEdit tensor = replacement(sample.tensor("c"));
    GraphEdit attribute = new SetAttribute(constant, Attributes.of("value", 1));
    refuses("'c' cannot be changed", attribute, tensor);
    refuses("'node_c' cannot be removed or replaced", tensor, attribute);
  }

  @Test
  void refusesASecondInitializerOfOneName() {
    GraphEdit added = initializer("n");
    refuses("the main graph would have two initializers 'n'", added, initializer("n"));
    refuses("the main graph would have two initializers 'far'", initializer("far"));
    assertThatCode(
            () -> sample.plan(new RemoveInitializer(sample.tensor("far")), initializer("far")))
        .doesNotThrowAnyException();
  }

  @Test
  void refusesAnotherVersionOfAnOperatorSet() {
    FunctionPart function = sample.model().functions().getFirst();
    for (GraphEdit edit :
        List.of(new ImportOperators("", 17), new ImportOperators("ai.onnx", 19))) {
      assertThatThrownBy(() -> sample.plan(edit))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("imports version 18 of the operator set '");
    }
    assertThatThrownBy(() ->
            sample.plan(
                new ImportInFunction(function, "x", 1), new ImportInFunction(function, "x", 2)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("imports version 1 of the operator set 'x', not 2");
  }

  @Test
  void refusesASecondInputOfAFunction() {
    FunctionPart function = sample.model().functions().getFirst();
    refuses(
        "function 'f' would have two inputs 'i'",
        new AddFunctionInput(function, "i"),
        new AddFunctionInput(function, "i"));
  }

  @Test
  void refusesWhatBelongsToAnotherModel() throws IOException {
    SampleModel.write(otherFolder);
    Edited other = Edited.base(otherFolder, SampleModel.proto());
    List<GraphEdit> edits =
        List.of(
            new RemoveNode(other.node(1)),
            InsertNodes.after(other.node(1), List.of()),
            new SetInput(other.node(1), 0, "x"),
            replacement(other.tensor("far")),
            new RemoveInitializer(other.tensor("far")),
            new AddFunctionInput(other.model().functions().getFirst(), "i"));
    for (GraphEdit edit : edits) {
      assertThatThrownBy(() -> sample.plan(edit))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageEndingWith("is no part of " + sample.model().path());
    }
  }

  @Test
  void refusesTensorsThatAreNotWhatTheEditIsAbout() {
    assertThatThrownBy(() -> sample.plan(new RemoveInitializer(sample.tensor("c"))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("tensor 'c' is no initializer of a graph");
    assertThatThrownBy(() -> sample.plan(replacement(sample.tensor("sparse"))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("tensor 'sparse' is part of a sparse tensor");
  }

  private List<GraphEdit> editsInTheLoop() {
    return List.of(
        new RenameOutput(loop, 0, "a"),
        new SetInput(loop, 0, "a"),
        new SetAttribute(loop, Attributes.of("a", 1)),
        new SetInput(inner, 0, "a"),
        new RemoveNode(inner),
        InsertNodes.before(inner, List.of()),
        new RemoveInitializer(sample.tensor("inner")),
        replacement(sample.tensor("listed")));
  }

  private void refuses(String message, GraphEdit... edits) {
    assertThatThrownBy(() -> sample.plan(edits))
        .as(List.of(edits).toString())
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(message);
  }

  private static GraphEdit initializer(String name) {
    NewTensor tensor = new NewTensor(name, DType.INT8, Shape.of(1), new Length(1));
    return new AddInitializer(tensor, Keeping.LIKE_BASE);
  }

  private static GraphEdit replacement(StoredTensor tensor) {
    return new ReplaceTensor(
        tensor, new NewTensor(tensor.name(), DType.INT8, Shape.of(1), new Length(1)));
  }
}
