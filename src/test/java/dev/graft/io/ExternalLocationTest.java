package dev.graft.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ExternalLocationTest {

  private static final String CONTEXT = "model.onnx: tensor 'w'";

  @TempDir Path outside;
  private Path folder;

  @BeforeEach
  void makeModelFolder() throws IOException {
    folder = Files.createDirectories(outside.resolve("model"));
    Files.createDirectories(folder.resolve("sub"));
    Files.writeString(folder.resolve("ok.bin"), "inside");
    Files.writeString(folder.resolve("sub/ok.bin"), "inside");
    Files.writeString(outside.resolve("secret.bin"), "secret");
  }

  private void assertRefused(String location, String why) {
    assertThatThrownBy(() -> ExternalLocation.open(folder, location, CONTEXT))
        .isInstanceOf(FormatException.class)
        .hasMessageStartingWith(CONTEXT + ": external data location '")
        .hasMessageContaining(why);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../secret.bin",
        "sub/../../secret.bin",
        "sub/../ok.bin",
        "..",
        "./../secret.bin",
        "sub/.."
      })
  void refusesEveryStepUpwards(String location) {
    assertRefused(location, "holds '..'; it may not climb out of the model's folder");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/etc/passwd", "//server/share/x", "C:/x.bin", "c:x.bin", "/"})
  void refusesAbsoluteLocations(String location) {
    assertRefused(location, "is absolute");
  }

  @ParameterizedTest
  @ValueSource(strings = {"..\\secret.bin", "sub\\ok.bin", "\\\\server\\x", "C:\\x"})
  void refusesBackslashesOnEverySystem(String location) {
    assertRefused(location, "holds a backslash");
  }

  @ParameterizedTest
  @CsvSource({"'', is empty", "., names a folder", "sub/, names a folder", "./, names a folder"})
  void refusesLocationsThatNameNoFile(String location, String why) {
    assertRefused(location, why);
  }

  @Test
  void refusesNul() {
    assertRefused("ok.bin\0.png", "'ok.bin?.png' holds a NUL byte");
  }

  @ParameterizedTest
  @CsvSource({
    "sub, is not a regular file",
    "none.bin, there is no such file",
    "none/ok.bin, there is no such file"
  })
  void refusesWhatIsNoFile(String location, String why) {
    assertRefused(location, why);
  }

  @Test
  void refusesANameLongerThanTheFileSystemAllows() {
    assertThatThrownBy(() -> ExternalLocation.open(folder, "x".repeat(5000), CONTEXT))
        .isInstanceOf(FormatException.class)
        .hasMessageStartingWith(CONTEXT);
  }

  @Test
  void refusesAFileUsedAsAFolder() {
    assertThatThrownBy(() -> ExternalLocation.open(folder, "ok.bin/x", CONTEXT))
        .isInstanceOf(FormatException.class)
        .hasMessageStartingWith(CONTEXT);
  }

  @Test
  void refusesAMissingModelFolder() {
    assertThatThrownBy(() -> ExternalLocation.open(outside.resolve("none"), "ok.bin", CONTEXT))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("no such file or folder");
  }

  @Test
  void refusesLinkToOutside() throws IOException {
    Files.createSymbolicLink(folder.resolve("link.bin"), outside.resolve("secret.bin"));
    assertRefused("link.bin", "link.bin is a symbolic link");
  }

  @Test
  void refusesLinkEvenWhereItStaysInside() throws IOException {
    Files.createSymbolicLink(folder.resolve("link.bin"), Path.of("ok.bin"));
    assertRefused("link.bin", "link.bin is a symbolic link");
  }

  @Test
  void refusesDanglingLink() throws IOException {
    Files.createSymbolicLink(folder.resolve("link.bin"), Path.of("none.bin"));
    assertRefused("link.bin", "link.bin is a symbolic link");
  }

  @Test
  void refusesFolderThatIsALink() throws IOException {
    Files.createSymbolicLink(folder.resolve("out"), outside);
    assertRefused("out/secret.bin", "out is a symbolic link");
    assertRefused("sub/./../out/secret.bin", "holds '..'");
  }

  @Test
  void refusesHardLink() throws IOException {
    Files.createLink(folder.resolve("hard.bin"), outside.resolve("secret.bin"));
    assertRefused("hard.bin", "has 2 names (hard links)");
  }

  @Test
  @Timeout(10)
  void refusesPipeWithoutWaitingForAWriter() throws Exception {
    TestFiles.pipe(folder.resolve("pipe"));
    assertRefused("pipe", "is not a regular file");
  }

  @ParameterizedTest
  @CsvSource({
    "-1, 2, neither may be negative",
    "0, -1, neither may be negative",
    "0, 7, 'needs 7 bytes at offset 0'",
    "7, 0, the file has 6 bytes",
    "5, 2, the file has 6 bytes",
    "1, 9223372036854775807, the file has 6 bytes",
    "9223372036854775807, 9223372036854775807, the file has 6 bytes"
  })
  void refusesRangesOutsideTheFile(long offset, long length, String why) {
    try (InputFile file = ExternalLocation.open(folder, "ok.bin", CONTEXT)) {
      assertThatThrownBy(() -> ExternalLocation.checkRange(file, offset, length, CONTEXT))
          .isInstanceOf(FormatException.class)
          .hasMessageStartingWith(CONTEXT)
          .hasMessageContaining(why);
    }
  }

  @ParameterizedTest
  @CsvSource({"0, 6", "6, 0", "2, 3"})
  void acceptsRangesInsideTheFile(long offset, long length) {
    try (InputFile file = ExternalLocation.open(folder, "ok.bin", CONTEXT)) {
      ExternalLocation.checkRange(file, offset, length, CONTEXT);
      assertThat(file.size()).isEqualTo(6);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"ok.bin", "./ok.bin", "sub/ok.bin", "sub/./ok.bin", "sub//ok.bin"})
  void opensFilesBelowTheModelFolder(String location) {
    try (InputFile file = ExternalLocation.open(folder, location, CONTEXT)) {
      byte[] bytes = new byte[6];
      file.readFully(MemorySegment.ofArray(bytes), 0);
      assertThat(bytes).isEqualTo("inside".getBytes(StandardCharsets.UTF_8));
    }
  }

  @Test
  void opensAModelFolderThatIsReachedThroughALink() throws IOException {
    Path link = Files.createSymbolicLink(outside.resolve("link"), folder);
    assertThat(ExternalLocation.resolve(link, "sub/ok.bin", CONTEXT))
        .isEqualTo(folder.toRealPath().resolve("sub/ok.bin"));
  }

  @Test
  void acceptsNamesThatOnlyLookLikeSteps() throws IOException {
    Files.writeString(folder.resolve("..w"), "inside");
    Files.writeString(folder.resolve("w.."), "inside");
    assertThat(ExternalLocation.resolve(folder, "..w", CONTEXT)).exists();
    assertThat(ExternalLocation.resolve(folder, "w..", CONTEXT)).exists();
  }

  @Test
  void opensNoLinkThatAppearedAfterTheCheck() throws IOException {
    Files.createSymbolicLink(folder.resolve("out"), outside);
    Files.createSymbolicLink(folder.resolve("link.bin"), Path.of("ok.bin"));
    for (String swapped : List.of("out/secret.bin", "link.bin", "sub")) {
      assertThatThrownBy(() -> ExternalLocation.openBeneath(folder, Path.of(swapped)).close())
          .as(swapped)
          .isInstanceOf(IOException.class);
    }
  }

  @Test
  void readsNothingFromAFileThatWasExchangedWhileItWasOpened() throws IOException {
    try (InputFile file = ExternalLocation.open(folder, "ok.bin", CONTEXT)) {
      Path path = file.path();
      ExternalLocation.requireUnchanged(file, path, CONTEXT);
      Files.move(folder.resolve("sub/ok.bin"), path, StandardCopyOption.REPLACE_EXISTING);
      assertThatThrownBy(() -> ExternalLocation.requireUnchanged(file, path, CONTEXT))
          .isInstanceOf(FormatException.class)
          .hasMessageContaining("was exchanged while it was opened; nothing was read from it");
    }
  }

  /**
   * One thread swaps a file and a folder for links to the outside all the time; no read may ever
   * see it.
   */
  @Test
  @Timeout(60)
  void neverReadsOutsideWhileLinksAreSwappedIn() throws Exception {
    Path attacked = Files.createDirectories(folder.resolve("race"));
    Files.writeString(attacked.resolve("secret.bin"), "inside");
    Path swap = outside.resolve("swap");
    AtomicBoolean stop = new AtomicBoolean();
    Thread attacker = Thread.ofPlatform().start(() -> swapUntil(stop, attacked, swap));
    int opened = 0;
    try {
      long end = System.nanoTime() + 1_000_000_000L;
      while (System.nanoTime() < end) {
        try (InputFile file = ExternalLocation.open(folder, "race/secret.bin", CONTEXT)) {
          byte[] bytes = new byte[6];
          file.readFully(MemorySegment.ofArray(bytes), 0);
          assertThat(new String(bytes, StandardCharsets.UTF_8)).isEqualTo("inside");
          opened++;
        } catch (FormatException e) {
          assertThat(e).hasMessageStartingWith(CONTEXT);
        }
      }
    } finally {
      stop.set(true);
      attacker.join();
    }
    assertThat(opened).isPositive();
  }

  private void swapUntil(AtomicBoolean stop, Path attacked, Path swap) {
    try {
      while (!stop.get()) {
        Files.move(attacked, swap);
        Files.createSymbolicLink(attacked, outside);
        Files.delete(attacked);
        Files.move(swap, attacked);
        Thread.sleep(0, 200_000);
      }
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
