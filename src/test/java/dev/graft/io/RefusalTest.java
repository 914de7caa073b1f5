package dev.graft.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RefusalTest {

  @Test
  void takesNoOtherTroubleForAFullDisk() {
    assertThat(Refusal.isNoSpace(new IOException("Input/output error"))).isFalse();
    assertThat(Refusal.isNoSpace(new AccessDeniedException("/no space"))).isFalse();
    assertThat(Refusal.isNoSpace(new ClosedByInterruptException())).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "No space left on device",
        "Disk quota exceeded",
        "File too large",
        "There is not enough space on the disk"
      })
  void knowsAFullDiskOnEverySystem(String words) {
    assertThat(Refusal.isNoSpace(new IOException(words))).isTrue();
    assertThat(Refusal.isNoSpace(new FileSystemException("a", null, words))).isTrue();
  }

  @Test
  void saysWhyWithoutRepeatingThePath() {
    assertThat(Refusal.reason(new NoSuchFileException("/a"))).isEqualTo("no such file or folder");
    assertThat(Refusal.reason(new AccessDeniedException("/a"))).isEqualTo("permission denied");
    assertThat(Refusal.reason(new FileSystemException("/a", null, "Read-only file system")))
        .isEqualTo("Read-only file system");
    assertThat(Refusal.reason(new ClosedByInterruptException())).isEqualTo("interrupted");
    assertThat(Refusal.reason(new IOException())).isEqualTo("IOException");
  }
}
