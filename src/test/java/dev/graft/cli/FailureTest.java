package dev.graft.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.error.BindingException;
import dev.graft.error.FormatException;
import dev.graft.error.RuntimeFailure;
import dev.graft.error.UnsupportedException;
import dev.graft.error.UsageException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class FailureTest {

  static Stream<Arguments> errors() {
    return Stream.of(
        Arguments.of(new UsageException("m"), 2, "usage"),
        Arguments.of(new FormatException("m"), 3, "format"),
        Arguments.of(new BindingException("m"), 3, "binding"),
        Arguments.of(new UnsupportedException("m"), 4, "unsupported"),
        Arguments.of(new RuntimeFailure("m"), 5, "runtime"));
  }

  @ParameterizedTest
  @MethodSource("errors")
  void givesEveryErrorItsExitCode(RuntimeException error, int code, String kind) {
    assertThat(Failure.of(error)).isEqualTo(new Failure(code, kind, "m"));
  }

  @Test
  void asksToReportWhatNobodyExpected() {
    Failure failure = Failure.of(new IllegalStateException("odd"));
    assertThat(failure.exitCode()).isEqualTo(5);
    assertThat(failure.message())
        .isEqualTo(
            "internal error: java.lang.IllegalStateException: odd; run again with --debug and report it");
  }

  @Test
  void saysHowToAllowMoreMemory() {
    Failure failure = Failure.of(new OutOfMemoryError("Java heap space"));
    assertThat(failure.exitCode()).isEqualTo(5);
    assertThat(failure.message()).startsWith("not enough memory").contains("GRAFT_JAVA_OPTS=-Xmx");
  }

  @Test
  void keepsThePathOfAFileThatFailed() {
    AccessDeniedException denied = new AccessDeniedException("/some/file");
    assertThat(Failure.of(new UncheckedIOException(denied)).message())
        .startsWith("a file could not be read or written: ")
        .contains("/some/file");
    assertThat(Failure.of(new UncheckedIOException("x.onnx: closing failed", denied)).message())
        .startsWith("x.onnx: closing failed: ")
        .contains("/some/file");
  }
}
