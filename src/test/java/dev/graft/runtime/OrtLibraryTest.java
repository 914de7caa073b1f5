package dev.graft.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class OrtLibraryTest {

  @Test
  void makesOneLineOfAMessage() {
    assertThat(OrtLibrary.oneLine("a\n  b\t c\n")).isEqualTo("a b c");
  }

  @Test
  void leavesOutWhereInTheRuntimesSourceItFailed() {
    String message =
        "Load model from some path/m.onnx failed:/build/core/graph/model.cc:166"
            + " onnxruntime::Model::Model(onnx::ModelProto&&, const std::function<void()>&)"
            + " ModelProto does not have a graph.";
    assertThat(OrtLibrary.oneLine(message)).isEqualTo("ModelProto does not have a graph.");
    assertThat(
            OrtLibrary.oneLine(
                "Status Message: /b/op_kernel.h:42 const T* Context::Input(int) const"
                    + " [with T = onnxruntime::Tensor] Missing Input: mask"))
        .isEqualTo("Status Message: Missing Input: mask");
  }

  @Test
  void cutsAMessageWithoutEnd() {
    assertThat(OrtLibrary.oneLine("x".repeat(5000))).hasSize(1001).endsWith("x…");
  }

  @Test
  void isLoadedOnceInAProcess() {
    assertThat(OrtLibrary.get()).isSameAs(OrtLibrary.get());
  }
}
