package dev.graft.cli;

import com.google.protobuf.ByteString;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.StringStringEntryProto;
import dev.graft.onnx.proto.TensorProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Models and adapters for the tests of verbs. */
final class Samples {

  static final Path MODEL = Path.of("testdata/cases/bert-ts-plain/base.onnx");
  static final Path ADAPTER = Path.of("testdata/cases/bert-ts-plain/adapter");
  static final Path INPUTS = Path.of("testdata/cases/bert-ts-plain/inputs.safetensors");
  static final Path GOLDEN = Path.of("testdata/cases/bert-ts-plain/golden.safetensors");
  static final Path OTHER_MODEL = Path.of("testdata/cases/gpt2-ts-plain/base.onnx");
  static final Path MINILM_ADAPTER = Path.of("testdata/minilm-sentiment");
  static final Path MINILM_Q = Path.of("target/models/minilm-q/all-minilm-l6-v2-q.onnx");

  /** A weight that the adapter changes. */
  static final String WEIGHT = "onnx::MatMul_366";

  private Samples() {}

  /** A copy of the adapter that a test may damage. */
  static Path adapterIn(Path folder) throws IOException {
    Path copy = Files.createDirectories(folder.resolve("adapter"));
    for (String name : List.of("adapter_config.json", "adapter_model.safetensors")) {
      Files.copy(ADAPTER.resolve(name), copy.resolve(name));
    }
    return copy;
  }

  /** The adapter with another configuration, one text in it replaced. */
  static Path adapterWith(Path folder, String config, String instead) throws IOException {
    Path copy = adapterIn(folder);
    Path file = copy.resolve("adapter_config.json");
    String text = Files.readString(file);
    if (!text.contains(config)) {
      throw new IllegalArgumentException("the config has no " + config);
    }
    Files.writeString(file, text.replace(config, instead));
    return copy;
  }

  /** The adapter with other weights. */
  static Path adapterWith(Path folder, byte[] weights) throws IOException {
    Path copy = adapterIn(folder);
    Files.write(copy.resolve("adapter_model.safetensors"), weights);
    return copy;
  }

  static byte[] weights() throws IOException {
    return Files.readAllBytes(ADAPTER.resolve("adapter_model.safetensors"));
  }

  /** The model with one weight in a data file of the given location; the file is not written. */
  static Path externalIn(Path folder, String location) throws IOException {
    ModelProto.Builder model = ModelProto.parseFrom(Files.readAllBytes(MODEL)).toBuilder();
    for (TensorProto.Builder tensor : model.getGraphBuilder().getInitializerBuilderList()) {
      if (tensor.getName().equals(WEIGHT)) {
        tensor
            .clearRawData()
            .setDataLocation(TensorProto.DataLocation.EXTERNAL)
            .addExternalData(entry("location", location))
            .addExternalData(entry("offset", "0"))
            .addExternalData(entry("length", "4096"));
      }
    }
    return Files.write(folder.resolve("model.onnx"), model.build().toByteArray());
  }

  /** The bytes of the weight that {@link #externalIn} takes out. */
  static byte[] weight() throws IOException {
    ModelProto model = ModelProto.parseFrom(Files.readAllBytes(MODEL));
    return model.getGraph().getInitializerList().stream()
        .filter(t -> t.getName().equals(WEIGHT))
        .map(TensorProto::getRawData)
        .map(ByteString::toByteArray)
        .findFirst()
        .orElseThrow();
  }

  /** Everything below a folder, relative to it. */
  static List<String> tree(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(p -> !p.equals(folder))
          .map(p -> folder.relativize(p).toString())
          .sorted()
          .toList();
    }
  }

  private static StringStringEntryProto entry(String key, String value) {
    return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
  }
}
