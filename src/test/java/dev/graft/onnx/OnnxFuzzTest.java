package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.error.GraftException;
import dev.graft.io.InputFile;
import dev.graft.onnx.Outputs.Values;
import dev.graft.onnx.StoredTensor.Storage;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import dev.graft.tensor.TensorSource;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Random models, random patches, random damage. A failure names the seed that shows it again. */
class OnnxFuzzTest {

  private static final int MODELS = 80;
  private static final String VALUE = "0123456789";

  @TempDir Path folder;
  @TempDir Path outFolder;

  /** What a random patch changes. */
  private record Edits(
      Map<StoredTensor, byte[]> values, Set<Integer> rewired, Map<String, String> names) {

    static Edits of(OnnxModel model, Random random) {
      Edits edits = new Edits(new HashMap<>(), new HashSet<>(), new HashMap<>());
      for (StoredTensor tensor : model.tensors()) {
        if (random.nextInt(3) == 0
            && edits.values.keySet().stream().noneMatch(t -> overlap(t, tensor))) {
          edits.values.put(tensor, Protos.noise(Math.toIntExact(tensor.bytes()), random.nextInt()));
        }
      }
      for (int i = 0; i < model.graph().nodes().size(); i++) {
        if (random.nextBoolean() && model.graph().nodes().get(i).proto().getInputCount() > 0) {
          edits.rewired.add(i);
        }
      }
      for (String location : model.dataFiles().keySet()) {
        edits.names.put(location, "out" + "t".repeat(random.nextInt(150)) + edits.names.size());
      }
      return edits;
    }

    /** Damaged models may have two tensors on the same bytes; who patches has to see to that. */
    private static boolean overlap(StoredTensor one, StoredTensor other) {
      return one.storage() == Storage.EXTERNAL
          && other.storage() == Storage.EXTERNAL
          && source(one).file().equals(source(other).file())
          && source(one).offset() < source(other).end()
          && source(other).offset() < source(one).end();
    }

    Map<String, FilePlan> plan(OnnxModel model) {
      try (InputFile file = InputFile.open(model.path())) {
        ModelPatch patch = new ModelPatch(model, file);
        patch.appendMetadata("graft", VALUE.length());
        values.forEach((tensor, bytes) -> patch.replaceValues(tensor, new Values(bytes)));
        rewired.forEach(i -> patch.rewireInput(model.graph().nodes().get(i), 0, "rewired"));
        patch.addInitializer(
            new NewTensor("added", DType.INT8, Shape.of(3), new Values(new byte[3])));
        return patch.plan(names);
      }
    }
  }

  @Test
  void readsWhatProtobufReadsAndPatchesExactly() throws IOException {
    for (int seed = 0; seed < MODELS; seed++) {
      Path path = new RandomModel(seed).write(folder);
      try {
        ModelProto whole = ModelProto.parseFrom(Files.readAllBytes(path));
        OnnxModel model = OnnxModel.open(path);
        FullParse.agrees(model, whole);
        patchIsExact(model, whole, Edits.of(model, new Random(seed)));
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError("seed " + seed, e);
      }
    }
  }

  @Test
  void refusesOrReadsDamagedFilesAndNeverFailsOtherwise() throws IOException {
    for (int seed = 0; seed < MODELS; seed++) {
      Random random = new Random(seed);
      byte[] bytes = Files.readAllBytes(new RandomModel(seed).write(folder));
      for (int i = 0; i < 8; i++) {
        Path path = Files.write(folder.resolve("m.onnx"), Protos.damaged(bytes, random));
        try {
          OnnxModel model = OnnxModel.open(path);
          Edits.of(model, random).plan(model);
        } catch (GraftException e) {
          assertThat(e.getMessage()).startsWith(path.toString());
        } catch (RuntimeException | Error e) {
          throw new AssertionError("seed " + seed + ", damage " + i, e);
        }
      }
    }
  }

  private void patchIsExact(OnnxModel model, ModelProto whole, Edits edits) throws IOException {
    Map<String, FilePlan> plans = edits.plan(model);
    Path path = Outputs.write(plans, outFolder, VALUE.getBytes(StandardCharsets.US_ASCII));
    OnnxModel out = OnnxModel.open(path);
    ModelProto.Builder expected = whole.toBuilder();
    edits
        .rewired()
        .forEach(i -> expected.getGraphBuilder().getNodeBuilder(i).setInput(0, "rewired"));
    expected.getGraphBuilder().addInitializerBuilder().setName("added").setDataType(3).addDims(3);
    expected.addMetadataProps(Protos.entry("graft", VALUE));
    ModelProto found = ModelProto.parseFrom(Files.readAllBytes(path));
    assertThat(Protos.withoutData(found)).isEqualTo(Protos.withoutData(expected.build()));
    FullParse.agrees(out, found);
    List<StoredTensor> tensors =
        out.tensors().stream().filter(t -> !t.label().equals("added")).toList();
    assertThat(tensors).hasSameSizeAs(model.tensors());
    for (int i = 0; i < tensors.size(); i++) {
      StoredTensor before = model.tensors().get(i);
      byte[] values = edits.values().getOrDefault(before, Outputs.stored(before, model));
      byte[] written = Outputs.stored(tensors.get(i), out);
      assertThat(Arrays.equals(written, values)).as(before.label()).isTrue();
    }
    nodesKeepTheirBytes(model, out, edits.rewired());
  }

  private static void nodesKeepTheirBytes(OnnxModel model, OnnxModel out, Set<Integer> rewired)
      throws IOException {
    byte[] before = Files.readAllBytes(model.path());
    byte[] after = Files.readAllBytes(out.path());
    for (int i = 0; i < model.graph().nodes().size(); i++) {
      MessageSpan span = model.graph().nodes().get(i).span();
      if (!rewired.contains(i) && !span.hasChildren()) {
        assertThat(FullParse.body(after, out.graph().nodes().get(i).span()))
            .isEqualTo(FullParse.body(before, span));
      }
    }
  }

  private static TensorSource source(StoredTensor tensor) {
    return tensor.source().orElseThrow();
  }
}
