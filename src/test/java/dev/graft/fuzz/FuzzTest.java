package dev.graft.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.onnx.proto.StringStringEntryProto;
import dev.graft.onnx.proto.TensorProto;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Tries each reader of foreign files with many hostile inputs. Each input must be read or refused
 * with an error of Graft's own, within a second and 64 MB, and touch nothing outside.
 *
 * <p>A build tries a few thousand inputs with a fixed seed. {@code -Pfuzz} tries a million each,
 * with a seed of its own; {@code -Dgraft.fuzz.inputs} and {@code -Dgraft.fuzz.seed} choose others.
 */
class FuzzTest {

  private static final Words NAMES =
      Words.of(
          "",
          "x",
          "y",
          "w",
          "w2",
          "q",
          "MatMul",
          "Gemm",
          "Add",
          "Identity",
          "Constant",
          "Transpose",
          "If",
          "Loop",
          "Conv",
          "Gather",
          "Cast",
          "Reshape",
          "DequantizeLinear",
          "value",
          "perm",
          "transB",
          "alpha",
          "body",
          "then_branch",
          "local",
          "F",
          "com.microsoft",
          "MatMulNBits",
          "location",
          "offset",
          "length",
          "w.bin",
          "/model/q/MatMul",
          "model.q.weight",
          "name_scopes",
          "pkg.torch.onnx.name_scopes",
          "['', 'model', 'model.q']",
          "1",
          "[[[[",
          "\u0000",
          "\u00e9");

  private static final Words LOCATIONS =
      Words.of(
          "w.bin",
          "W.bin",
          "sub/w.bin",
          "sub/deep/w.bin",
          "./w.bin",
          "sub//w.bin",
          "sub/../w.bin",
          "../secret.bin",
          "../outer/secret.bin",
          "../inside/w.bin",
          "/etc/passwd",
          "out.bin",
          "absolute.bin",
          "outer/secret.bin",
          "outer/sub/w.bin",
          "up/secret.bin",
          "up/inside/w.bin",
          "here/w.bin",
          "loop",
          "loop/w.bin",
          "nowhere.bin",
          "linked.bin",
          "hard.bin",
          "empty.bin",
          "w.bin/",
          "w.bin/.",
          "w.bin/..",
          "w.bin\u0000",
          "sub",
          "sub/",
          ".",
          "..",
          "...",
          "/",
          "//",
          "\\",
          "..\\secret.bin",
          "C:",
          "C:w.bin",
          "c:/w.bin",
          "file:w.bin",
          "~",
          "-",
          "%2e%2e/",
          "\u2024\u2024/secret.bin",
          "\u00e9.bin",
          "e\u0301.bin",
          "\ud800",
          "a\nb",
          "CON",
          "w.bin ",
          "w.bin.",
          "..w",
          "x",
          "",
          "0",
          "8",
          "64",
          "63",
          "-1",
          "9223372036854775807",
          "999999999999999999",
          "1e3",
          "0x10",
          " 8",
          "08",
          "\u0663",
          "location",
          "offset",
          "length",
          "checksum",
          "basepath");

  private static final Target SAFETENSORS =
      new Target("safetensors", new SafetensorsMutator(), SafetensorsReader::new);
  private static final Target MODEL =
      new Target("model", new WireMutator(NAMES, _ -> true), ModelReader::new);
  private static final Target DATA_FILE =
      new Target(
          "data-file",
          new WireMutator(
              LOCATIONS,
              message ->
                  message.type == StringStringEntryProto.getDescriptor()
                      || message.type == TensorProto.getDescriptor()),
          DataFileReader::new);
  private static final Target ADAPTER =
      new Target("adapter", new AdapterMutator(), AdapterReader::new);

  private static final Target ONNX_ADAPTER =
      new Target("onnx-adapter", new ByteMutator(), OnnxAdapterReader::new);

  private static final Target MERGE =
      new Target("merge", new MergeMutator(new WireMutator(NAMES, _ -> true)), MergeReader::new);

  private static final long INPUTS = Long.getLong("graft.fuzz.inputs", 10_000);
  private static final long SEED =
      Long.getLong("graft.fuzz.seed", INPUTS < 1_000_000 ? 1 : System.nanoTime() >>> 10);

  private Path folder = Path.of("");

  @BeforeEach
  void makeFolder() throws IOException {
    Path memory = Path.of("/dev/shm");
    folder =
        Files.isWritable(memory)
            ? Files.createTempDirectory(memory, "graft-fuzz")
            : Files.createTempDirectory("graft-fuzz");
  }

  @AfterEach
  void deleteFolder() throws IOException {
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(
              Path visited, @org.jspecify.annotations.Nullable IOException e) throws IOException {
            Files.delete(visited);
            return FileVisitResult.CONTINUE;
          }
        });
  }

  @Test
  void readsOrRefusesAnyHeaderOfSafetensors() throws IOException, InterruptedException {
    holds(SAFETENSORS);
  }

  @Test
  void readsOrRefusesAnyModel() throws IOException, InterruptedException {
    holds(MODEL);
  }

  @Test
  void readsOrRefusesAnyPlaceOfADataFile() throws IOException, InterruptedException {
    holds(DATA_FILE);
  }

  @Test
  void readsOrRefusesAnyAdapter() throws IOException, InterruptedException {
    holds(ADAPTER);
  }

  @Test
  void readsOrRefusesAnyOnnxAdapter() throws IOException, InterruptedException {
    holds(ONNX_ADAPTER);
  }

  /** Writing takes a hundred times as long as reading, so there are fewer of these. */
  @Test
  void mergesExactlyOrRefusesWithoutATrace() throws IOException, InterruptedException {
    holds(MERGE, INPUTS / 20);
  }

  private void holds(Target target) throws IOException, InterruptedException {
    holds(target, INPUTS);
  }

  private void holds(Target target, long inputs) throws IOException, InterruptedException {
    Figures figures = Campaign.run(target, inputs, SEED, folder);
    // A campaign whose inputs all end alike tests nothing.
    assertThat(figures.endings).as("%s: %s", target.name(), figures).isGreaterThan(20);
    assertThat(figures.accepted).as("%s: %s", target.name(), figures).isPositive();
  }
}
