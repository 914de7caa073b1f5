package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.error.GraftException;
import dev.graft.io.InputFile;
import dev.graft.onnx.GraphEdit.Declaration;
import dev.graft.onnx.Outputs.Values;
import dev.graft.onnx.StoredTensor.Storage;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.ValueInfoProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Random edits of random models: the patched file against the same edits of the parsed model, and
 * its bytes against the base's. A failure names the seed that shows it again.
 */
class EditFuzzTest {

  private static final int MODELS = 60;

  @TempDir Path folder;
  @TempDir Path outFolder;

  @Test
  void patchesWhatTheEditsMakeOfTheParsedModelAndNothingElse() throws IOException {
    for (int seed = 0; seed < MODELS; seed++) {
      OnnxModel base = OnnxModel.open(new RandomModel(seed).write(folder));
      try {
        RandomEdits edits = new RandomEdits(base, seed);
        OnnxModel out = OnnxModel.open(Outputs.write(plan(base, edits), outFolder, new byte[0]));
        byte[] after = Files.readAllBytes(out.path());
        ModelProto found = ModelProto.parseFrom(after);
        FullParse.agrees(out, found);
        assertThat(Protos.withoutData(found))
            .isEqualTo(Protos.withoutData(EditedModel.of(base, edits.edits())));
        tensorsHaveTheirValues(base, out, edits);
        untouchedMessagesKeepTheirBytes(base, out, edits);
        untouchedValuesKeepTheirBytes(base, out);
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError("seed " + seed, e);
      }
    }
  }

  @Test
  void editsDamagedFilesOrRefusesThemAndNeverFailsOtherwise() throws IOException {
    for (int seed = 0; seed < MODELS; seed++) {
      Random random = new Random(seed);
      byte[] bytes = Files.readAllBytes(new RandomModel(seed).write(folder));
      for (int i = 0; i < 8; i++) {
        Path path = Files.write(folder.resolve("m.onnx"), Protos.damaged(bytes, random));
        try {
          OnnxModel model = OnnxModel.open(path);
          RandomEdits edits = new RandomEdits(model, seed);
          plan(model, edits);
          EditedModel.of(model, edits.edits());
        } catch (GraftException e) {
          assertThat(e.getMessage()).startsWith(path.toString());
        } catch (RuntimeException | Error e) {
          throw new AssertionError("seed " + seed + ", damage " + i, e);
        }
      }
    }
  }

  private static Map<String, FilePlan> plan(OnnxModel base, RandomEdits edits) {
    try (InputFile file = InputFile.open(base.path())) {
      ModelPatch patch = new ModelPatch(base, file);
      edits.edits().forEach(patch::apply);
      edits.values().forEach((tensor, bytes) -> patch.replaceValues(tensor, new Values(bytes)));
      return patch.plan(edits.locations());
    }
  }

  private static void tensorsHaveTheirValues(OnnxModel base, OnnxModel out, RandomEdits edits)
      throws IOException {
    Map<String, byte[]> expected = new HashMap<>();
    for (StoredTensor tensor : base.tensors()) {
      expected.put(tensor.name(), Outputs.stored(tensor, base));
    }
    expected.putAll(edits.contents());
    for (StoredTensor tensor : out.tensors()) {
      assertThat(Arrays.equals(Outputs.stored(tensor, out), expected.get(tensor.name())))
          .as(tensor.name())
          .isTrue();
    }
  }

  private static void untouchedMessagesKeepTheirBytes(
      OnnxModel base, OnnxModel out, RandomEdits edits) throws IOException {
    // The name of its file is written into a tensor anew, and of several the first counts.
    base.tensors().stream()
        .filter(t -> t.storage() == Storage.EXTERNAL)
        .forEach(t -> edits.touch(t.span()));
    Map<String, MessageSpan> before = named(base);
    Map<String, MessageSpan> after = named(out);
    byte[] from = Files.readAllBytes(base.path());
    byte[] to = Files.readAllBytes(out.path());
    for (Map.Entry<String, MessageSpan> message : before.entrySet()) {
      if (edits.isUntouched(message.getValue())) {
        MessageSpan same = Objects.requireNonNull(after.get(message.getKey()), message.getKey());
        assertThat(FullParse.body(to, same)).isEqualTo(FullParse.body(from, message.getValue()));
      }
    }
  }

  private static void untouchedValuesKeepTheirBytes(OnnxModel base, OnnxModel out)
      throws IOException {
    for (Declaration list : Declaration.values()) {
      Map<ValueInfoProto, byte[]> before = declared(base, list);
      Map<ValueInfoProto, byte[]> after = declared(out, list);
      before.keySet().retainAll(after.keySet());
      before.forEach((value, bytes) -> assertThat(after.get(value)).isEqualTo(bytes));
    }
  }

  /** All nodes and named tensors; names are given once in a random model. */
  private static Map<String, MessageSpan> named(OnnxModel model) {
    Map<String, MessageSpan> named = new LinkedHashMap<>();
    List<NodePart> open = new ArrayList<>(model.graph().nodes());
    model.functions().forEach(f -> open.addAll(f.nodes()));
    while (!open.isEmpty()) {
      NodePart node = open.removeLast();
      named.put(node.proto().getName(), node.span());
      node.subgraphs().forEach(g -> open.addAll(g.nodes()));
    }
    model.tensors().forEach(t -> named.put(t.name(), t.span()));
    return named;
  }

  private static Map<ValueInfoProto, byte[]> declared(OnnxModel model, Declaration list)
      throws IOException {
    GraphProto graph = model.proto().getGraph();
    List<ValueInfoProto> values =
        switch (list) {
          case INPUT -> graph.getInputList();
          case OUTPUT -> graph.getOutputList();
          case VALUE_INFO -> graph.getValueInfoList();
        };
    byte[] file = Files.readAllBytes(model.path());
    Map<ValueInfoProto, byte[]> declared = new HashMap<>();
    try (InputFile input = InputFile.open(model.path())) {
      List<FieldRange> ranges =
          FieldRange.find(new WireCursor(input), model.graph().span(), list.field());
      for (int i = 0; i < ranges.size(); i++) {
        declared.put(
            values.get(i),
            Arrays.copyOfRange(file, (int) ranges.get(i).start(), (int) ranges.get(i).end()));
      }
    }
    return declared;
  }
}
