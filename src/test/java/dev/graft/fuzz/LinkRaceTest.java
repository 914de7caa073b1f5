package dev.graft.fuzz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import dev.graft.io.ExternalLocation;
import dev.graft.io.InputFile;
import dev.graft.onnx.OnnxModel;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Data files that become links to others while they are opened. */
class LinkRaceTest {

  private static final int OPENINGS = 3000;
  private static final long PATIENCE_NANOS = 30_000_000_000L;
  private static final long PLAIN_NANOS = 50_000;
  private static final String PLAIN = "a data file";

  @TempDir Path root;
  private Path inside = Path.of("");

  @BeforeEach
  void makeFolders() throws IOException {
    inside = Files.createDirectories(root.resolve("inside"));
    write(inside.resolve("w.bin"), PLAIN);
    write(inside.resolve("sub/w.bin"), PLAIN);
    write(root.resolve("outer/w.bin"), Outside.SECRET);
  }

  private static void write(Path file, String text) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  @Test
  void neverReadsThroughAFileThatBecomesALink() throws Exception {
    race("w.bin", inside.resolve("w.bin"), Path.of("../outer/w.bin"));
  }

  @Test
  void neverReadsThroughAFolderThatBecomesALink() throws Exception {
    race("sub/w.bin", inside.resolve("sub"), Path.of("../outer"));
  }

  /** Opens a location over and over while it, or a folder on the way, comes and goes as a link. */
  private void race(String location, Path swapped, Path target) throws Exception {
    AtomicBoolean over = new AtomicBoolean();
    FutureTask<Integer> swapping = new FutureTask<>(() -> swap(swapped, target, over));
    Thread.ofPlatform().daemon().start(swapping);
    long deadline = System.nanoTime() + PATIENCE_NANOS;
    int read = 0;
    try {
      // On a busy machine the two may run in step for a while, and no opening meets the plain file.
      for (int i = 0; i < OPENINGS || (read == 0 && System.nanoTime() < deadline); i++) {
        read += readsPlainOrRefuses(location);
      }
    } finally {
      over.set(true);
    }
    assertThat(swapping.get()).as("exchanges").isPositive();
    assertThat(read).as("openings that went through").isPositive();
  }

  private int readsPlainOrRefuses(String location) {
    try (InputFile file = ExternalLocation.open(inside, location, "model")) {
      byte[] bytes = new byte[Math.toIntExact(file.size())];
      file.readFully(MemorySegment.ofArray(bytes), 0);
      assertThat(new String(bytes, StandardCharsets.UTF_8)).isEqualTo(PLAIN);
      return 1;
    } catch (FormatException refused) {
      return 0;
    }
  }

  private int swap(Path place, Path target, AtomicBoolean over) throws IOException {
    Path aside = root.resolve("aside");
    Path link = root.resolve("link");
    int exchanges = 0;
    while (!over.get()) {
      Files.move(place, aside, StandardCopyOption.ATOMIC_MOVE);
      Files.createSymbolicLink(link, target);
      Files.move(link, place, StandardCopyOption.ATOMIC_MOVE);
      Files.delete(place);
      Files.move(aside, place, StandardCopyOption.ATOMIC_MOVE);
      exchanges++;
      // As long as it is plain at times, openings may go through.
      LockSupport.parkNanos(exchanges % 2 == 0 ? 1 : PLAIN_NANOS);
    }
    return exchanges;
  }

  @Test
  void refusesADataFileThatBecameALinkSinceTheModelWasOpened() throws IOException {
    byte[] seed = Files.readAllBytes(Path.of("testdata", "fuzz", "model", "external"));
    Files.write(inside.resolve("w.bin"), new byte[4096]);
    OnnxModel model = OnnxModel.open(Files.write(inside.resolve("m.onnx"), seed));
    Path data = model.dataFiles().values().iterator().next();
    Files.delete(data);
    Files.createSymbolicLink(data, Path.of("../outer/w.bin"));
    assertThatThrownBy(() -> model.openSource(data).close())
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("symbolic link");
  }
}
