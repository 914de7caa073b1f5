package dev.graft.onnx;

import dev.graft.onnx.proto.ModelProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class RealModelsTest {

  static List<Path> models() throws IOException {
    try (Stream<Path> cases = Files.walk(Path.of("testdata/cases"), 2);
        Stream<Path> fetched = Files.walk(Path.of("target/models"), 2)) {
      return Stream.concat(cases, fetched)
          .filter(file -> file.toString().endsWith(".onnx"))
          .sorted()
          .toList();
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void skeletonAndRangesAreThoseOfAFullParse(Path path) throws IOException {
    FullParse.agrees(OnnxModel.open(path), ModelProto.parseFrom(Files.readAllBytes(path)));
  }
}
