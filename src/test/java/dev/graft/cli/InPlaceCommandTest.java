package dev.graft.cli;

import static dev.graft.cli.CliRunner.graft;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.graft.cli.CliRunner.Run;
import dev.graft.io.Journal;
import dev.graft.io.WriterLock;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code --in-place} and {@code recover}, refusals first. */
class InPlaceCommandTest {

  @TempDir Path folder;
  private Path model = Path.of("");

  @BeforeEach
  void copyTheModel() throws IOException {
    model = Files.copy(Samples.MODEL, folder.resolve("model.onnx"));
  }

  @Test
  void refusesNoPlaceTwoPlacesAndSeveralModels() throws IOException {
    refused(graft("merge", "-m", model, "-a", Samples.ADAPTER), 2, "missing -o OUT");
    refused(merge("-o", folder.resolve("x.onnx")), 2, "exclude each other");
    refused(merge("-m", model), 2, "takes one model");
    refused(graft("unmerge", "-m", model), 2, "missing -o OUT");
    refused(graft("switch", "-m", model, "-a", Samples.ADAPTER), 2, "missing -o OUT");
    assertUnchanged();
  }

  @Test
  void refusesTheModelAsItsOwnOutputWithoutInPlace() throws IOException {
    refused(graft("merge", "-m", model, "-a", Samples.ADAPTER, "-o", model), 2, "input");
    assertUnchanged();
  }

  @Test
  void refusesLinksAndFilesWithSeveralNames() throws IOException {
    Path link = Files.createSymbolicLink(folder.resolve("link.onnx"), model);
    refused(graft("merge", "-m", link, "-a", Samples.ADAPTER, "--in-place"), 2, "is a link");
    Files.delete(link);
    Path second = folder.resolve("second.onnx");
    Files.createLink(second, model);
    refused(merge(), 2, "2 names (hard links)");
    Files.delete(second);
    assertUnchanged();
  }

  @Test
  void refusesAReadOnlyFile() throws IOException {
    Files.setPosixFilePermissions(model, PosixFilePermissions.fromString("r--r--r--"));
    refused(merge(), 2, "is read-only");
    assertUnchanged();
  }

  @Test
  void refusesASecondWriter() throws IOException {
    try (WriterLock lock = WriterLock.acquire(model)) {
      assertThat(lock).isNotNull();
      refused(merge(), 5, "another process is changing it in place");
    }
    assertUnchanged();
  }

  @Test
  void refusesAModelThatAnotherProcessHasMapped() throws Exception {
    assumeThat(Path.of("/proc/self/maps")).exists();
    Process other =
        new ProcessBuilder(
                ProcessHandle.current().info().command().orElseThrow(),
                "-cp",
                System.getProperty("java.class.path"),
                Mapper.class.getName(),
                model.toString())
            .redirectErrorStream(true)
            .start();
    try {
      assertThat(other.inputReader().readLine()).isEqualTo("mapped");
      refused(merge(), 2, "is in use by process " + other.pid());
      assertUnchanged();
      assertThat(merge("--force").code()).isZero();
    } finally {
      other.destroyForcibly().waitFor();
    }
  }

  /** Maps a file and waits to be killed. */
  static final class Mapper {
    private Mapper() {}

    public static void main(String[] args) throws Exception {
      try (FileChannel file = FileChannel.open(Path.of(args[0]));
          Arena arena = Arena.ofConfined()) {
        System.out.println(
            file.map(MapMode.READ_ONLY, 0, file.size(), arena).byteSize() > 0 ? "mapped" : "");
        TimeUnit.MINUTES.sleep(1);
      }
    }
  }

  @Test
  void refusesAnotherLayout() throws IOException {
    assertThat(merge().code()).isZero();
    byte[] merged = Files.readAllBytes(model);
    refused(graft("switch", "-m", model, "-a", Samples.OTHER_MODEL, "--in-place"), 3, "");
    assertThat(Files.readAllBytes(model)).isEqualTo(merged);
  }

  @Test
  void refusesADamagedJournalInEveryVerb() throws IOException {
    Files.writeString(Journal.pathFor(model), "not a journal, but long enough to be looked at");
    for (Run run :
        List.of(
            graft("inspect", "-m", model),
            graft("recover", "-m", model),
            merge(),
            graft("unmerge", "-m", model, "-o", folder.resolve("x/y.onnx")))) {
      refused(run, 3, "the journal of an update in place is damaged");
    }
    Files.delete(Journal.pathFor(model));
    assertUnchanged();
  }

  @Test
  void recoverRefusesWhatIsNotThereAndSaysWhenThereIsNothing() {
    refused(graft("recover", "-m", folder.resolve("none.onnx")), 3, "no such file");
    Run run = graft("recover", "-m", model);
    assertThat(run.code()).isZero();
    assertThat(run.out()).contains("nothing to finish");
    assertThat(graft("recover", "-m", model, "--json").out()).contains("\"recovered\" : false");
  }

  @Test
  void mergesAndUnmergesADataFileUnderItsName() throws IOException {
    Files.delete(model);
    model = Samples.externalIn(folder, "weights.bin");
    Path data = Files.write(folder.resolve("weights.bin"), Samples.weight());
    byte[] base = Files.readAllBytes(model);
    assertThat(merge().code()).isZero();
    assertThat(Samples.tree(folder))
        .containsExactly("model.onnx", "model.onnx.undo", "weights.bin");
    assertThat(Files.readAllBytes(data)).isNotEqualTo(Samples.weight());
    assertThat(graft("unmerge", "-m", model, "--in-place").code()).isZero();
    assertThat(Samples.tree(folder)).containsExactly("model.onnx", "weights.bin");
    assertThat(Files.readAllBytes(model)).isEqualTo(base);
    assertThat(Files.readAllBytes(data)).isEqualTo(Samples.weight());
  }

  @Test
  void unmergingGivesADataFileItsOldNameBack() throws IOException {
    Path base = Samples.externalIn(Files.createDirectory(folder.resolve("base")), "weights.bin");
    Path data = Files.write(base.resolveSibling("weights.bin"), Samples.weight());
    Path merged = folder.resolve("merged/model.onnx");
    graft("merge", "-m", base, "-a", Samples.ADAPTER, "-o", merged);
    Path taken = Files.writeString(merged.resolveSibling("weights.bin"), "another's");
    refused(graft("unmerge", "-m", merged, "--in-place"), 3, "--force");
    Files.delete(taken);
    assertThat(graft("unmerge", "-m", merged, "--in-place").code()).isZero();
    assertThat(Samples.tree(folder.resolve("merged"))).containsExactly("model.onnx", "weights.bin");
    assertThat(merged).hasSameBinaryContentAs(base);
    assertThat(taken).hasSameBinaryContentAs(data);
  }

  @Test
  void withoutARecordTheOldOneGoes() throws IOException {
    assertThat(merge().code()).isZero();
    Run run = graft("switch", "-m", model, "-a", Samples.ADAPTER + ":2", "--in-place", "--no-undo");
    assertThat(run.code()).isZero();
    assertThat(Samples.tree(folder)).containsExactly("model.onnx");
  }

  @Test
  void aKillLeavesTheOldOrTheNewModel() throws Exception {
    Path fresh = folder.resolve("fresh/model.onnx");
    graft("merge", "-m", model, "-a", Samples.ADAPTER, "-o", fresh);
    Random random = new Random(3);
    for (int time = 0; time < 6; time++) {
      Files.copy(Samples.MODEL, model, StandardCopyOption.REPLACE_EXISTING);
      Process process = start("merge", "-m", model, "-a", Samples.ADAPTER, "--in-place");
      while (process.isAlive() && Samples.tree(folder).size() < 4) {
        Thread.onSpinWait(); // until there is more than the model and the fresh one
      }
      TimeUnit.MILLISECONDS.sleep(random.nextInt(30));
      process.destroyForcibly().waitFor();
      assertThat(graft("recover", "-m", model).code()).isZero();
      assertThat(Files.readAllBytes(model))
          .isIn(Files.readAllBytes(Samples.MODEL), Files.readAllBytes(fresh));
      Files.deleteIfExists(folder.resolve("model.onnx.undo"));
      Files.deleteIfExists(folder.resolve("model.onnx.undo.new"));
    }
  }

  private static Process start(Object... words) throws IOException {
    List<String> line =
        new ArrayList<>(
            List.of(
                ProcessHandle.current().info().command().orElseThrow(),
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName()));
    for (Object word : words) {
      line.add(word.toString());
    }
    return new ProcessBuilder(line)
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  private Run merge(Object... more) {
    Object[] words = {"merge", "-m", model, "-a", Samples.ADAPTER, "--in-place"};
    Object[] all = Arrays.copyOf(words, words.length + more.length);
    System.arraycopy(more, 0, all, words.length, more.length);
    return graft(all);
  }

  private void assertUnchanged() throws IOException {
    assertThat(Samples.tree(folder)).containsExactly("model.onnx");
    assertThat(model).hasSameBinaryContentAs(Samples.MODEL);
  }

  private static void refused(Run run, int code, String message) {
    assertThat(run.err()).contains(message);
    assertThat(run.code()).isEqualTo(code);
  }
}
