package dev.graft.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import dev.graft.error.GraftException;
import dev.graft.io.JournalIndex.Changed;
import dev.graft.io.JournalIndex.Range;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JournalTest {

  private static final String OLD = "0123456789";
  private static final String NEW = "01ab45678cdef";
  private static final List<Range> RANGES = List.of(new Range(2, 2), new Range(9, 4));
  private static final byte[] CHANGES = "abcdef".getBytes(StandardCharsets.US_ASCII);

  @TempDir Path folder;
  private Path model = Path.of("");

  @BeforeEach
  void makeAModel() throws IOException {
    model = Files.writeString(folder.resolve("model.onnx"), OLD);
  }

  @ParameterizedTest
  @ValueSource(strings = {"../outside", "a/b", "a\\b", "..", ".", "", "a\nb"})
  void refusesNamesThatLeadElsewhere(String name) throws IOException {
    write(new JournalIndex(List.of(new Changed(name, "model.onnx", 13, RANGES)), List.of()));
    refused("it names the file");
    write(new JournalIndex(List.of(new Changed("model.onnx", name, 13, RANGES)), List.of()));
    refused("it names the file");
    write(new JournalIndex(List.of(change("model.onnx", "model.onnx")), List.of(name)));
    refused("it names the file");
  }

  @Test
  void refusesRangesThatOverlapOrPassTheEnd() throws IOException {
    for (List<Range> ranges :
        List.of(
            List.of(new Range(4, 2), new Range(5, 4)),
            List.of(new Range(8, 6)),
            List.of(new Range(-1, 6)),
            List.of(new Range(Long.MAX_VALUE, 6)),
            List.of(new Range(2, 0), new Range(3, 6)))) {
      write(
          new JournalIndex(
              List.of(new Changed("model.onnx", "model.onnx", 13, ranges)), List.of()));
      refused("does not lie in");
    }
  }

  @Test
  void refusesAnIndexThatSpeaksOfOtherBytesThanThereAre() throws IOException {
    List<Range> short5 = List.of(new Range(2, 5));
    write(
        new JournalIndex(List.of(new Changed("model.onnx", "model.onnx", 13, short5)), List.of()));
    refused("its index speaks of 5 new bytes");
  }

  @Test
  void refusesEveryTruncationAndEveryFlippedByte() throws IOException {
    write(index());
    byte[] whole = Files.readAllBytes(Journal.pathFor(model));
    for (int length = 0; length < whole.length; length++) {
      Files.write(Journal.pathFor(model), Arrays.copyOf(whole, length));
      refused("the journal of an update in place is damaged");
    }
    for (int at = 0; at < whole.length; at++) {
      byte[] flipped = whole.clone();
      flipped[at] ^= 0x10;
      Files.write(Journal.pathFor(model), flipped);
      refused("the journal of an update in place is damaged");
    }
  }

  @Test
  void refusesCountsThatNoIndexCanHold() throws IOException {
    for (byte[] index :
        List.of(
            new byte[] {0x7f, 0, 0, 0},
            new byte[] {(byte) 0x80, 0, 0, 0},
            new byte[] {0, 0, 0, 1, 0, 1, 'a', 0, 1, 'a', 0, 0, 0, 0, 0, 0, 0, 9, 127, 0, 0, 0},
            new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 0})) {
      write(index, new byte[0]);
      refused("its index");
    }
  }

  @Test
  void refusesATargetThatIsALink() throws IOException {
    Path other = Files.writeString(folder.resolve("other"), OLD);
    Files.createSymbolicLink(folder.resolve("data"), other);
    write(new JournalIndex(List.of(change("data", "data")), List.of()));
    refused("is missing or no plain file");
    assertThat(other).hasContent(OLD);
  }

  @Test
  void doesNothingWhereThereIsNone() {
    assertThat(Journal.settle(model)).isFalse();
    assertThat(Journal.settle(folder.resolve("missing"))).isFalse();
    assertThat(model).hasContent(OLD);
  }

  @Test
  void carriesOutAndGoesWithItsRoom() throws IOException {
    Files.writeString(folder.resolve("gone"), "");
    Files.write(Journal.roomFor(model), new byte[10]);
    write(new JournalIndex(List.of(change("model.onnx", "model.onnx")), List.of("gone")));
    assertThat(Journal.settle(model)).isTrue();
    assertThat(model).hasContent(NEW);
    assertThat(folder.toFile().list()).containsExactly("model.onnx");
  }

  @Test
  void findsTheModelBehindALink() throws IOException {
    write(index());
    Path link =
        Files.createSymbolicLink(Files.createDirectory(folder.resolve("a")).resolve("m"), model);
    assertThat(Journal.settle(link)).isTrue();
    assertThat(model).hasContent(NEW);
  }

  @Test
  void renamesAndCanDoAllOfItAgain() throws IOException {
    Files.writeString(folder.resolve("old.data"), OLD);
    write(new JournalIndex(List.of(change("old.data", "new.data")), List.of("gone")));
    byte[] journal = Files.readAllBytes(Journal.pathFor(model));
    for (int time = 0; time < 3; time++) {
      Files.write(Journal.pathFor(model), journal);
      Journal.settle(model);
      assertThat(folder.resolve("new.data")).hasContent(NEW);
      assertThat(folder.resolve("old.data")).doesNotExist();
    }
  }

  @Test
  void finishesWhateverMixtureWasLeft() throws IOException {
    write(index());
    byte[] journal = Files.readAllBytes(Journal.pathFor(model));
    Random random = new Random(5);
    for (int time = 0; time < 200; time++) {
      byte[] mixture = new byte[random.nextInt(14)];
      for (int i = 0; i < mixture.length; i++) {
        boolean isNew = i >= OLD.length() || random.nextBoolean();
        mixture[i] = (byte) (isNew ? NEW : OLD).charAt(i);
      }
      // What lies outside the ranges was never written.
      byte[] whole = Arrays.copyOf(mixture, Math.max(mixture.length, OLD.length()));
      for (int i = mixture.length; i < OLD.length(); i++) {
        whole[i] = (byte) OLD.charAt(i);
      }
      Files.write(model, whole);
      Files.write(Journal.pathFor(model), journal);
      Journal.settle(model);
      assertThat(model).hasContent(NEW);
    }
  }

  private static Changed change(String name, String newName) {
    return new Changed(name, newName, 13, RANGES);
  }

  private static JournalIndex index() {
    return new JournalIndex(List.of(change("model.onnx", "model.onnx")), List.of());
  }

  private void write(JournalIndex index) throws IOException {
    write(index.bytes(), CHANGES);
  }

  /** The format written down a second time. */
  private void write(byte[] index, byte[] changes) throws IOException {
    CRC32C crc = new CRC32C();
    crc.update(index);
    crc.update(changes);
    ByteBuffer journal = ByteBuffer.allocate(24 + index.length + changes.length);
    journal.put("GRAFTJNL".getBytes(StandardCharsets.US_ASCII)).putInt(1).putInt(index.length);
    journal.putLong(crc.getValue()).put(index).put(changes);
    Files.write(Journal.pathFor(model), journal.array());
  }

  private void refused(String how) throws IOException {
    assertThatThrownBy(() -> Journal.settle(model))
        .isInstanceOf(FormatException.class)
        .isInstanceOf(GraftException.class)
        .hasMessageContaining(how);
    assertThat(model).hasContent(OLD);
    assertThat(WriterLock.pathFor(model)).doesNotExist();
  }

  @Test
  void isWhatSealingMakes() throws IOException {
    byte[] index = index().bytes();
    try (AtomicOutput output = AtomicOutput.begin(Journal.pathFor(model))) {
      output.main().write(MemorySegment.ofArray(index), Journal.HEADER_BYTES);
      output.main().write(MemorySegment.ofArray(CHANGES), Journal.HEADER_BYTES + index.length);
      Journal.seal(output.main(), index.length);
      output.commit();
    }
    byte[] sealed = Files.readAllBytes(Journal.pathFor(model));
    write(index());
    assertThat(Files.readAllBytes(Journal.pathFor(model))).isEqualTo(sealed);
  }
}
