package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.onnx.GraphEdit.InsertNodes;
import dev.graft.onnx.GraphEdit.RemoveNode;
import dev.graft.onnx.GraphEdit.RenameOutput;
import dev.graft.onnx.GraphEdit.SetAttribute;
import dev.graft.onnx.GraphEdit.SetInput;
import dev.graft.onnx.proto.AttributeProto;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeEditsTest {

  private static final NodeProto P = Protos.node("P", "p", "a");
  private static final NodeProto Q = Protos.node("Q", "q".repeat(200));
  private static final NodeProto R = Protos.node("R", "r");

  @TempDir Path folder;

  private Edited sample;

  @BeforeEach
  void sample() throws IOException {
    SampleModel.write(folder);
    sample = Edited.base(folder, SampleModel.proto());
  }

  @Test
  void insertsAfterAndBeforeInTheOrderOfTheCalls() throws IOException {
    sample.gives(
        m -> {
          m.getGraphBuilder().addNode(1, P).addNode(2, R).addNode(3, Q);
          return m;
        },
        InsertNodes.before(sample.node(1), List.of(Q)),
        InsertNodes.after(sample.node(0), List.of(P)),
        InsertNodes.after(sample.node(0), List.of(R)));
  }

  @Test
  void insertsBeforeTheFirstAndAfterTheLast() throws IOException {
    sample.gives(
        m -> {
          m.getGraphBuilder().addNode(0, P).addNode(1, Q).addNode(R);
          return m;
        },
        InsertNodes.before(sample.node(0), List.of(P, Q)),
        InsertNodes.after(sample.node(2), List.of(R)),
        InsertNodes.after(sample.node(2), List.of()));
  }

  @Test
  void insertsIntoSubgraphsAndFunctions() throws IOException {
    NodePart inner = sample.node(1).subgraphs().getFirst().nodes().getFirst();
    NodePart inFunction = sample.model().functions().getFirst().nodes().getFirst();
    sample.gives(
        m -> {
          body(m).addNode(0, P).addNode(Q);
          m.getFunctionsBuilder(0).addNode(0, R).addNode(P);
          return m;
        },
        InsertNodes.before(inner, List.of(P)),
        InsertNodes.after(inner, List.of(Q)),
        InsertNodes.before(inFunction, List.of(R)),
        InsertNodes.after(inFunction, List.of(P)));
  }

  @Test
  void insertsBetweenNodesThatDoNotLieTogether() throws IOException {
    byte[] first = Wire.message(1, Wire.string(4, "A"));
    byte[] second = Wire.message(1, Wire.string(4, "B"));
    byte[] name = Wire.string(2, "g");
    // A tag may be longer than it has to be.
    byte[] odd = Wire.join(Wire.raw(0x8a, 0x00, 3), Wire.string(4, "C"));
    Edited base = Edited.base(folder, Wire.model(first, name, second, odd, name));
    byte[] p = Wire.message(1, P.toByteArray());
    byte[] q = Wire.message(1, Q.toByteArray());
    byte[] r = Wire.message(1, R.toByteArray());
    assertThat(
            base.bytes(
                InsertNodes.before(base.node(1), List.of(P)),
                InsertNodes.before(base.node(2), List.of(Q)),
                InsertNodes.after(base.node(2), List.of(R))))
        .isEqualTo(Wire.model(first, name, p, second, q, odd, r, name));
    assertThat(base.bytes(new RemoveNode(base.node(2)), new RemoveNode(base.node(0))))
        .isEqualTo(Wire.model(name, second, name));
  }

  @Test
  void removesNodesWithAllBelowThem() throws IOException {
    sample.gives(
        m -> {
          m.getGraphBuilder().removeNode(1).removeNode(0);
          m.getFunctionsBuilder(0).removeNode(0);
          return m;
        },
        new RemoveNode(sample.node(0)),
        new RemoveNode(sample.node(1)),
        new RemoveNode(sample.model().functions().getFirst().nodes().getFirst()));
  }

  @Test
  void putsNodesInThePlaceOfRemovedOnes() throws IOException {
    sample.gives(
        m -> {
          m.getGraphBuilder().setNode(0, P).removeNode(1).addNode(1, Q).addNode(2, R);
          return m;
        },
        new RemoveNode(sample.node(0)),
        InsertNodes.after(sample.node(0), List.of(P)),
        InsertNodes.after(sample.node(1), List.of(R)),
        new RemoveNode(sample.node(1)),
        InsertNodes.before(sample.node(1), List.of(Q)));
  }

  @Test
  void renamesOutputs() throws IOException {
    ModelProto.Builder model = SampleModel.proto().toBuilder();
    model.getGraphBuilder().getNodeBuilder(2).addOutput("second").addOutput("third");
    Edited base = Edited.base(folder, model.build());
    NodePart inner = base.node(1).subgraphs().getFirst().nodes().getFirst();
    String longName = "long".repeat(50);
    base.gives(
        m -> {
          m.getGraphBuilder().getNodeBuilder(2).setOutput(0, longName).setOutput(2, "t");
          body(m).getNodeBuilder(0).setOutput(0, "inside");
          return m;
        },
        new RenameOutput(base.node(2), 2, "t"),
        new RenameOutput(base.node(2), 0, longName),
        new RenameOutput(inner, 0, "inside"));
  }

  @Test
  void setsInputsAndLeavesOutThoseInBetween() throws IOException {
    sample.gives(
        m -> {
          m.getGraphBuilder().getNodeBuilder(2).setInput(1, "w").addInput("").addInput("far off");
          m.getGraphBuilder().getNodeBuilder(1).addInput("one").addInput("two");
          return m;
        },
        new SetInput(sample.node(2), 3, "far off"),
        new SetInput(sample.node(2), 1, "w"),
        new SetInput(sample.node(1), 2, "two"),
        new SetInput(sample.node(1), 1, "one"));
  }

  @Test
  void givesANodeItsFirstInputs() throws IOException {
    ModelProto.Builder expected = SampleModel.proto().toBuilder();
    expected.getGraphBuilder().getNodeBuilder(0).addInput("").addInput("only");
    assertThat(ModelProto.parseFrom(sample.bytes(new SetInput(sample.node(0), 1, "only"))))
        .isEqualTo(expected.build());
  }

  @Test
  void addsInputsBehindThoseOfANodeThatIsWrittenInAnotherOrder() throws IOException {
    byte[] op = Wire.string(4, "Gemm");
    byte[] a = Wire.string(1, "a");
    byte[] b = Wire.string(1, "b");
    Edited base = Edited.base(folder, Wire.model(Wire.message(1, op, a, op, b, op)));
    assertThat(base.bytes(new SetInput(base.node(0), 2, "c"), new SetInput(base.node(0), 0, "d")))
        .isEqualTo(
            Wire.model(Wire.message(1, op, Wire.string(1, "d"), op, b, Wire.string(1, "c"), op)));
  }

  @Test
  void setsAttributesInTheirPlaceOrBehindTheOthers() throws IOException {
    AttributeProto ints = Attributes.ofInts("more", List.of(1L, -1L));
    AttributeProto integer = Attributes.of("n", "text");
    AttributeProto tensor = Attributes.of("body", Protos.embedded("t", 3));
    AttributeProto fresh = Attributes.of("alpha", 0.5f);
    sample.gives(
        m -> {
          NodeProto.Builder loop = m.getGraphBuilder().getNodeBuilder(1);
          loop.setAttribute(3, ints).setAttribute(0, integer).setAttribute(1, tensor);
          loop.addAttribute(fresh);
          m.getGraphBuilder().getNodeBuilder(2).addAttribute(fresh).addAttribute(ints);
          return m;
        },
        new SetAttribute(sample.node(1), ints),
        new SetAttribute(sample.node(1), integer),
        new SetAttribute(sample.node(1), tensor),
        new SetAttribute(sample.node(1), fresh),
        new SetAttribute(sample.node(2), fresh),
        new SetAttribute(sample.node(2), ints));
  }

  @Test
  void makesOneAttributeOfSeveralOfItsName() throws IOException {
    ModelProto.Builder model = SampleModel.proto().toBuilder();
    NodeProto.Builder node = model.getGraphBuilder().getNodeBuilder(2);
    node.addAttribute(Attributes.of("a", 1)).addAttribute(Attributes.of("b", 2));
    node.addAttribute(Attributes.of("a", 3)).addAttribute(Attributes.of("a", 4)).setDomain("d");
    Edited base = Edited.base(folder, model.build());
    base.gives(
        m -> {
          NodeProto.Builder one = m.getGraphBuilder().getNodeBuilder(2);
          one.removeAttribute(3).removeAttribute(2).setAttribute(0, Attributes.of("a", 5));
          one.addAttribute(Attributes.of("c", 6));
          return m;
        },
        new SetAttribute(base.node(2), Attributes.of("c", 6)),
        new SetAttribute(base.node(2), Attributes.of("a", 5)));
  }

  @Test
  void editsANodeAndItsSubgraphTogether() throws IOException {
    NodePart inner = sample.node(1).subgraphs().getFirst().nodes().getFirst();
    sample.gives(
        m -> {
          GraphProto.Builder body = body(m);
          body.getNodeBuilder(0).addInput("i").setOutput(0, "o");
          body.addNode(P);
          m.getGraphBuilder().getNodeBuilder(1).setInput(0, "j").addInput("k");
          m.getGraphBuilder().addNode(1, Q).addNode(3, R);
          return m;
        },
        InsertNodes.after(inner, List.of(P)),
        new SetInput(inner, 2, "i"),
        new RenameOutput(inner, 0, "o"),
        new SetInput(sample.node(1), 0, "j"),
        new SetInput(sample.node(1), 1, "k"),
        InsertNodes.before(sample.node(1), List.of(Q)),
        InsertNodes.after(sample.node(1), List.of(R)));
  }

  private static GraphProto.Builder body(ModelProto.Builder model) {
    return model.getGraphBuilder().getNodeBuilder(1).getAttributeBuilder(1).getGBuilder();
  }
}
