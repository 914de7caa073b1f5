package dev.graft.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.graft.error.RuntimeFailure;
import dev.graft.error.UsageException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class AtomicOutputTest {

  @TempDir Path folder;

  private static MemorySegment bytes(String text) {
    return MemorySegment.ofArray(text.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void refusesAFolder() {
    assertThatThrownBy(() -> AtomicOutput.begin(folder))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("the output is a directory");
  }

  @Test
  void refusesAPathBelowAFile() throws IOException {
    Path file = Files.writeString(folder.resolve("a"), "a");
    assertThatThrownBy(() -> AtomicOutput.begin(file.resolve("b")))
        .isInstanceOf(RuntimeFailure.class)
        .hasMessageContaining("cannot be written");
    assertThatThrownBy(() -> AtomicOutput.begin(file.resolve("b/c")))
        .isInstanceOf(RuntimeFailure.class)
        .hasMessageContaining("cannot be created");
    assertThat(TestFiles.names(folder)).containsExactly("a");
  }

  @Test
  void refusesAFolderWithoutPermission() throws Exception {
    assumeTrue(Files.getFileStore(folder).supportsFileAttributeView("posix"));
    Path locked = Files.createDirectory(folder.resolve("locked"));
    Files.setPosixFilePermissions(locked, PosixFilePermissions.fromString("r-xr-xr-x"));
    // A super-user may write there all the same, but not even he in the kernel's own folder.
    Path closed = Files.isWritable(locked) ? Path.of("/sys") : locked;
    assumeTrue(Files.isDirectory(closed), "this user may write everywhere");
    assertThatThrownBy(() -> AtomicOutput.begin(closed.resolve("a")))
        .isInstanceOf(RuntimeFailure.class)
        .hasMessageContaining("a: cannot be written: ");
  }

  @Test
  void leavesNothingBehindWithoutACommit() throws IOException {
    Files.writeString(folder.resolve("model.onnx"), "old");
    try (AtomicOutput out = AtomicOutput.begin(folder.resolve("model.onnx"))) {
      out.main().write(bytes("new"), 0);
      out.addFile(folder.resolve("model.onnx.data")).write(bytes("data"), 0);
      assertThat(TestFiles.names(folder)).hasSize(3).contains("model.onnx");
    }
    assertThat(TestFiles.names(folder)).containsExactly("model.onnx");
    assertThat(folder.resolve("model.onnx")).hasContent("old");
  }

  @Test
  void leavesNoFolderBehindWithoutACommit() throws IOException {
    Path deep = folder.resolve("a/b/c/model.onnx");
    try (AtomicOutput out = AtomicOutput.begin(deep)) {
      assertThat(out.main().path()).isEqualTo(deep);
    }
    assertThat(TestFiles.names(folder)).isEmpty();
  }

  @Test
  void leavesAFolderThatOthersUsedMeanwhile() throws IOException {
    try (AtomicOutput out = AtomicOutput.begin(folder.resolve("a/b/model.onnx"))) {
      Files.writeString(folder.resolve("a/theirs"), "theirs");
      assertThat(out.main().size()).isZero();
    }
    assertThat(TestFiles.names(folder.resolve("a"))).containsExactly("theirs");
  }

  @Test
  void refusesATakenName() throws IOException {
    Files.writeString(folder.resolve("taken"), "old");
    Files.createSymbolicLink(folder.resolve("dangling"), Path.of("nowhere"));
    try (AtomicOutput out = AtomicOutput.begin(folder.resolve("model.onnx"))) {
      out.addFile(folder.resolve("mine"));
      for (String name : List.of("taken", "dangling", "mine", "model.onnx")) {
        assertThat(out.isFree(folder.resolve(name))).as(name).isFalse();
        assertThatThrownBy(() -> out.addFile(folder.resolve(name)))
            .isInstanceOf(RuntimeFailure.class)
            .hasMessageContaining("the name is taken");
      }
      assertThat(out.isFree(folder.resolve("free"))).isTrue();
    }
    assertThat(folder.resolve("taken")).hasContent("old");
  }

  @Test
  void undoesRenamesWhenANameIsTakenAtTheLastMoment() throws IOException {
    Files.writeString(folder.resolve("model.onnx"), "old");
    AtomicOutput out = AtomicOutput.begin(folder.resolve("model.onnx"));
    try (out) {
      out.addFile(folder.resolve("data")).write(bytes("data"), 0);
      out.addFile(folder.resolve("data.1")).write(bytes("data"), 0);
      Files.writeString(folder.resolve("data.1"), "theirs");
      assertThatThrownBy(out::commit)
          .isInstanceOf(RuntimeFailure.class)
          .hasMessageContaining("data.1: a file of that name appeared meanwhile");
    }
    assertThat(TestFiles.names(folder)).containsExactly("data.1", "model.onnx");
    assertThat(folder.resolve("model.onnx")).hasContent("old");
    assertThat(folder.resolve("data.1")).hasContent("theirs");
  }

  @Test
  void undoesRenamesWhenTheMainFileCannotBePutInPlace() throws IOException {
    try (AtomicOutput out = AtomicOutput.begin(folder.resolve("model.onnx"))) {
      out.addFile(folder.resolve("data")).write(bytes("data"), 0);
      Files.createDirectories(folder.resolve("model.onnx/inside"));
      assertThatThrownBy(out::commit)
          .isInstanceOf(RuntimeFailure.class)
          .hasMessageContaining("model.onnx: the finished file could not be put in place");
    }
    assertThat(TestFiles.names(folder)).containsExactly("model.onnx");
  }

  @Test
  void keepsWhatAppearedWholeWhenALaterMainFileCannotBePutInPlace() throws IOException {
    Path first = folder.resolve("a.onnx");
    Path second = folder.resolve("b.onnx");
    try (AtomicOutput out = AtomicOutput.begin(first)) {
      out.main().write(bytes("a"), 0);
      out.addMain(second).write(bytes("b"), 0);
      out.addFile(folder.resolve("a.onnx.data")).write(bytes("weights of a"), 0);
      Files.createDirectories(second.resolve("in-the-way"));
      assertThatThrownBy(out::commit)
          .isInstanceOf(RuntimeFailure.class)
          .hasMessageContaining("b.onnx: the finished file could not be put in place")
          .hasMessageContaining("new already: " + first);
    }
    assertThat(first).hasContent("a");
    assertThat(folder.resolve("a.onnx.data")).hasContent("weights of a");
    assertThat(TestFiles.names(folder)).containsExactly("a.onnx", "a.onnx.data", "b.onnx");
  }

  @Test
  void refusesTwoMainFilesOfOneName() {
    try (AtomicOutput out = AtomicOutput.begin(folder.resolve("a"))) {
      assertThatThrownBy(() -> out.addMain(folder.resolve("a")))
          .isInstanceOf(UsageException.class)
          .hasMessageContaining("two files of the output would have this name");
    }
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void commitsOnlyOnce() {
    try (AtomicOutput out = AtomicOutput.begin(folder.resolve("a"))) {
      out.commit();
      assertThatThrownBy(out::commit)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("committed");
    }
  }

  @Test
  void replacesTheOldFileWholeAndRetiresItsData() throws IOException {
    Files.writeString(folder.resolve("model.onnx"), "a much longer old file");
    Path oldData = Files.writeString(folder.resolve("old.data"), "old");
    Path stuck = Files.createDirectories(folder.resolve("stuck/full")).getParent();
    try (AtomicOutput out = AtomicOutput.begin(folder.resolve("model.onnx"))) {
      out.addFile(folder.resolve("new.data")).write(bytes("data"), 0);
      out.main().write(bytes("new"), 0);
      out.retire(oldData);
      out.retire(Objects.requireNonNull(stuck));
      assertThat(oldData).exists();
      assertThat(out.commit()).containsExactly(stuck);
    }
    assertThat(TestFiles.names(folder)).containsExactly("model.onnx", "new.data", "stuck");
    assertThat(folder.resolve("model.onnx")).hasContent("new");
    assertThat(folder.resolve("new.data")).hasContent("data");
  }

  @Test
  void replacesALinkAndNotItsTarget() throws IOException {
    Path target = Files.writeString(folder.resolve("target"), "old");
    Path link = Files.createSymbolicLink(folder.resolve("link"), target);
    try (AtomicOutput out = AtomicOutput.begin(link)) {
      out.main().write(bytes("new"), 0);
      out.commit();
    }
    assertThat(target).hasContent("old");
    assertThat(link).hasContent("new");
  }

  @Test
  void createsFoldersAndTakesNamesOfAnyScriptAndLength() throws IOException {
    Path path = folder.resolve("a/b/" + "模".repeat(80));
    try (AtomicOutput out = AtomicOutput.begin(path)) {
      out.main().write(bytes("new"), 0);
      out.commit();
    }
    assertThat(path).hasContent("new");
    assertThat(TestFiles.names(folder.resolve("a/b"))).hasSize(1);
  }

  @Test
  void keepsAnOlderFileWholeWhenTheFileSizeLimitIsReached() throws Exception {
    assumeTrue(!TestFiles.isWindows(), "no ulimit");
    Files.writeString(folder.resolve("model.onnx"), "old");
    // The shell counts in blocks of 512 or 1024 bytes: 4 to 8 MB either way, and the JVM's own
    // files are smaller.
    List<String> java = TestFiles.java(DiskFillingMain.class, folder.toString());
    List<String> command =
        new ArrayList<>(List.of("sh", "-c", "ulimit -f 8192; exec \"$@\"", "sh"));
    command.addAll(java);
    assertThat(TestFiles.run(command))
        .contains(
            "write: no space left on the device while writing",
            "bytes were needed at offset",
            "File too large")
        .contains("copy: no space left on the device while writing")
        .contains("left: [from, model.onnx], model.onnx: old");
  }

  @Test
  void keepsAnOlderFileWholeWhenTheDiskIsFull() throws Exception {
    assumeTrue(TestFiles.isLinux(), "no tmpfs");
    Path mount = Files.createDirectory(folder.resolve("small"));
    String script =
        "mount -t tmpfs -o size=12m graft-test \"$0\" && echo old > \"$0/model.onnx\" && exec \"$@\"";
    List<String> command =
        new ArrayList<>(
            List.of(
                "unshare",
                "--user",
                "--map-root-user",
                "--mount",
                "sh",
                "-c",
                script,
                mount.toString()));
    command.addAll(TestFiles.java(DiskFillingMain.class, mount.toString()));
    String printed = TestFiles.run(command);
    assumeTrue(printed.contains("left: "), "no private mounts here: " + printed);
    assertThat(printed)
        .contains("write: no space left on the device while writing", "No space left on device")
        .contains("copy: no space left on the device while writing")
        .contains("left: [from, model.onnx], model.onnx: old");
  }

  @Test
  @Timeout(60)
  void leavesNothingBehindWhenTheProcessIsStopped() throws Exception {
    assumeTrue(!TestFiles.isWindows(), "no SIGTERM");
    Files.writeString(folder.resolve("model.onnx"), "old");
    Process process =
        new ProcessBuilder(TestFiles.java(WaitingMain.class, folder.toString()))
            .redirectErrorStream(true)
            .start();
    try (var reader = process.inputReader()) {
      assertThat(reader.readLine()).isEqualTo("ready");
      assertThat(TestFiles.names(folder)).hasSize(4);
      process.destroy();
      assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    }
    assertThat(TestFiles.names(folder)).containsExactly("model.onnx");
    assertThat(folder.resolve("model.onnx")).hasContent("old");
  }

  /** Writes until the disk is full, once by itself and once by copying, and tells what is left. */
  static final class DiskFillingMain {

    private DiskFillingMain() {}

    public static void main(String[] arguments) throws IOException {
      Path folder = Path.of(arguments[0]);
      Path from = Files.write(folder.resolve("from"), TestFiles.noise(3 << 20, 5));
      try (AtomicOutput out = AtomicOutput.begin(folder.resolve("new/model.onnx"))) {
        for (long position = 0; position < 64 << 20; position += 1 << 20) {
          out.main().write(MemorySegment.ofArray(TestFiles.noise(1 << 20, 6)), position);
        }
        out.commit();
      } catch (RuntimeFailure e) {
        System.out.println("write: " + e.getMessage());
      }
      try (InputFile in = InputFile.open(from);
          AtomicOutput out = AtomicOutput.begin(folder.resolve("model.onnx"));
          RangeCopier copier =
              new RangeCopier(in, out.addFile(folder.resolve("data")), Progress.NONE)) {
        for (long position = 0; position < 64 << 20; position += in.size()) {
          copier.copy(0, in.size(), position);
        }
        out.commit();
      } catch (RuntimeFailure e) {
        System.out.println("copy: " + e.getMessage());
      }
      System.out.println(
          "left: "
              + TestFiles.names(folder)
              + ", model.onnx: "
              + Files.readString(folder.resolve("model.onnx")));
    }
  }

  /** Begins an output and waits to be stopped. */
  static final class WaitingMain {

    private WaitingMain() {}

    public static void main(String[] arguments) throws InterruptedException {
      Path folder = Path.of(arguments[0]);
      try (AtomicOutput out = AtomicOutput.begin(folder.resolve("model.onnx"));
          AtomicOutput deep = AtomicOutput.begin(folder.resolve("a/b/model.onnx"))) {
        out.addFile(folder.resolve("data")).write(bytes("data"), 0);
        deep.main().write(bytes("data"), 0);
        System.out.println("ready");
        Thread.sleep(60_000);
      }
    }
  }
}
