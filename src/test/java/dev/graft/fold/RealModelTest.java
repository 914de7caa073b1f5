package dev.graft.fold;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.adapter.LoraPair;
import dev.graft.io.Progress;
import dev.graft.match.BoundTarget;
import dev.graft.match.Layout;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.StoredTensor;
import dev.graft.safetensors.SafetensorsData;
import dev.graft.tensor.DType;
import dev.graft.tensor.FloatCodec;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Merges real models and recomputes every touched weight one by one. MiniLM always; more with
 * {@code -Dgraft.real=MODEL.onnx::ADAPTER,…}.
 */
class RealModelTest {

  @TempDir Path folder;

  record Real(Path model, Path adapter) {}

  static Stream<Real> models() {
    List<Real> all = new ArrayList<>();
    all.add(
        new Real(
            Path.of("target/models/minilm/all-minilm-l6-v2.onnx"),
            Path.of("testdata/minilm-sentiment")));
    for (String more : System.getProperty("graft.real", "").split(",", -1)) {
      if (!more.isBlank()) {
        String[] sides = more.split("::", -1);
        all.add(new Real(Path.of(sides[0]), Path.of(sides[1])));
      }
    }
    return all.stream();
  }

  @ParameterizedTest
  @MethodSource("models")
  void everyTouchedWeightIsTheScalarReference(Real real) throws IOException {
    MergeRequest request =
        MergeRequest.of(real.model(), real.adapter(), folder.resolve("merged.onnx"));
    MergePlan plan = MergePlan.of(request);
    new Merge(plan, "graft test", Progress.NONE).run(2);
    OnnxModel merged = OnnxModel.open(request.output());
    assertThat(merged.proto().getGraph().getNodeList())
        .isEqualTo(plan.model().proto().getGraph().getNodeList());
    long wrong = 0;
    for (int t = 0; t < plan.tensors().size(); t++) {
      if (plan.binding().bound().get(t) instanceof BoundTarget.Lora lora) {
        StoredTensor base = plan.tensors().get(t).base().orElseThrow();
        StoredTensor found =
            merged.tensors().stream()
                .filter(m -> m.label().equals(base.label()))
                .findFirst()
                .orElseThrow();
        wrong += differing(lora, base, found);
      }
    }
    assertThat(wrong).as("weights that are not the scalar reference").isZero();
    assertThat(new FoldCheck(plan, request.output(), Progress.NONE).run().differences()).isEmpty();
  }

  private static long differing(BoundTarget.Lora lora, StoredTensor base, StoredTensor found)
      throws IOException {
    LoraPair pair = lora.pair();
    int in = (int) pair.a().shape().dim(1);
    int out = (int) pair.b().shape().dim(0);
    ScalarReference.Factors factors =
        new ScalarReference.Factors(
            SafetensorsData.readFloats(pair.a()),
            SafetensorsData.readFloats(pair.b()),
            (int) pair.a().shape().dim(0),
            in,
            (float) (pair.scale() / lora.alpha()));
    byte[] old = bytes(base);
    ByteBuffer now = ByteBuffer.wrap(bytes(found)).order(ByteOrder.LITTLE_ENDIAN);
    DType type = base.dtype();
    float[] values = new float[in * out];
    new FloatCodec(type, values.length)
        .decode(MemorySegment.ofArray(old), 0, values, values.length);
    long wrong = 0;
    for (int o = 0; o < out; o++) {
      for (int i = 0; i < in; i++) {
        int at = lora.layout() == Layout.OUT_IN ? o * in + i : i * out + o;
        float expected = ScalarReference.fastElement(values[at], factors, o, i);
        wrong += sameBits(type, now, at, expected) ? 0 : 1;
      }
    }
    return wrong;
  }

  private static boolean sameBits(DType type, ByteBuffer found, int at, float expected) {
    return switch (type) {
      case FLOAT32 -> found.getInt(4 * at) == Float.floatToRawIntBits(expected);
      case FLOAT16 -> found.getShort(2 * at) == Float.floatToFloat16(expected);
      default -> found.getShort(2 * at) == ScalarReference.bfloat16(expected);
    };
  }

  private static byte[] bytes(StoredTensor tensor) throws IOException {
    var source = tensor.source().orElseThrow();
    ByteBuffer bytes = ByteBuffer.allocate((int) source.length());
    try (FileChannel channel = FileChannel.open(source.file())) {
      while (bytes.hasRemaining()) {
        channel.read(bytes, source.offset() + bytes.position());
      }
    }
    return bytes.array();
  }
}
