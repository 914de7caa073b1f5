package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.io.InputFile;
import dev.graft.onnx.proto.ModelProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/** A base of a test and what edits make of it. */
final class Edited {

  private static final byte[] NONE = new byte[0];

  private final OnnxModel base;

  private Edited(OnnxModel base) {
    this.base = base;
  }

  static Edited of(OnnxModel base) {
    return new Edited(base);
  }

  /** Writes the base. */
  static Edited base(Path folder, ModelProto model) throws IOException {
    return base(folder, model.toByteArray());
  }

  /** Writes the base from its bytes. */
  static Edited base(Path folder, byte[] model) throws IOException {
    return new Edited(OnnxModel.open(Files.write(folder.resolve("m.onnx"), model)));
  }

  OnnxModel model() {
    return base;
  }

  NodePart node(int index) {
    return base.graph().nodes().get(index);
  }

  StoredTensor tensor(String label) {
    return base.tensors().stream().filter(t -> t.label().equals(label)).findFirst().orElseThrow();
  }

  /** The files of the output. */
  Map<String, FilePlan> plan(GraphEdit... edits) {
    return patch(patch -> List.of(edits).forEach(patch::apply));
  }

  Map<String, FilePlan> patch(Consumer<ModelPatch> changes) {
    return patch(changes, Map.of());
  }

  /** The files of the output, with new names for data files. */
  Map<String, FilePlan> patch(Consumer<ModelPatch> changes, Map<String, String> names) {
    try (InputFile file = InputFile.open(base.path())) {
      ModelPatch patch = new ModelPatch(base, file);
      changes.accept(patch);
      return patch.plan(names);
    }
  }

  /** The bytes of the model file of the output. */
  byte[] bytes(GraphEdit... edits) throws IOException {
    return Outputs.bytes(Outputs.model(plan(edits)), NONE);
  }

  /** Writes the output and gives the path of its model file. */
  Path write(Path folder, GraphEdit... edits) throws IOException {
    return Outputs.write(plan(edits), folder, NONE);
  }

  /**
   * Sees that edits give exactly the bytes that protobuf writes for the expected model. That holds
   * for bases that protobuf wrote, where every edit keeps the order of field numbers.
   */
  void gives(UnaryOperator<ModelProto.Builder> expected, GraphEdit... edits) throws IOException {
    ModelProto whole = ModelProto.parseFrom(Files.readAllBytes(base.path()));
    ModelProto after = expected.apply(whole.toBuilder()).build();
    byte[] out = bytes(edits);
    assertThat(ModelProto.parseFrom(out)).isEqualTo(after);
    assertThat(out).isEqualTo(after.toByteArray());
    assertThat(Protos.withoutData(EditedModel.of(base, List.of(edits))))
        .isEqualTo(Protos.withoutData(after));
  }
}
