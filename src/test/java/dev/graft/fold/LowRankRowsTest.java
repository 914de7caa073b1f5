package dev.graft.fold;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.adapter.LoraPair.Blocks;
import dev.graft.adapter.LoraPair.Extras;
import dev.graft.adapter.LoraPair.Factors;
import dev.graft.adapter.LoraPair.Parameters;
import dev.graft.error.FormatException;
import dev.graft.match.Layout;
import dev.graft.match.OutputRange;
import dev.graft.safetensors.SafetensorsFile;
import dev.graft.safetensors.SafetensorsTensor;
import dev.graft.safetensors.SafetensorsWriter;
import dev.graft.testing.Values;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Factors that do not fit into memory give the same bits as those that do. */
class LowRankRowsTest {

  private static final float SCALE = 0.75f;

  @TempDir Path folder;
  private final AdapterValues adapter = new AdapterValues();

  @AfterEach
  void close() {
    adapter.close();
  }

  private Factors factors(Values a, Values b, Blocks blocks) {
    Path path = folder.resolve("adapter.safetensors");
    new SafetensorsWriter()
        .add("a", a.type(), a.shape(), MemorySegment.ofArray(a.bytes()))
        .add("b", b.type(), b.shape(), MemorySegment.ofArray(b.bytes()))
        .write(path);
    Map<String, SafetensorsTensor> tensors = SafetensorsFile.open(path).tensors();
    return new Factors(
        Objects.requireNonNull(tensors.get("a")),
        Objects.requireNonNull(tensors.get("b")),
        new Extras(null, null, blocks, new Parameters(Map.of(), 0)));
  }

  private static Change.LowRank change(Factors factors, OutputRange outputs, Layout layout) {
    return new Change.LowRank(factors, outputs, SCALE, layout);
  }

  /** Whoever takes a merge back hands them on, since a tensor is read block by block. */
  @Test
  void rowsGoFromThreadToThreadWhereverTheirFactorsLie() throws Exception {
    Factors wide = factors(Values.random(1, 2, 600_000), Values.random(2, 3, 2), new Blocks(1, 1));
    goesFromThreadToThread(
        LowRankRows.of(change(wide, OutputRange.ALL, Layout.OUT_IN), adapter), 600_000);
    Factors experts = factors(Values.random(3, 4, 6), Values.random(4, 5, 4), new Blocks(1, 1));
    goesFromThreadToThread(
        new ExpertRows(new Change.Experts(experts, 2, SCALE, Layout.OUT_IN), 5, adapter), 6);
  }

  private static void goesFromThreadToThread(RowSource rows, int count) throws Exception {
    float[] here = new float[count];
    rows.apply(1, here, count);
    float[] there = new float[count];
    try (ExecutorService other = Executors.newSingleThreadExecutor()) {
      other.submit(() -> rows.apply(1, there, count)).get();
      assertThat(there).isEqualTo(here).isNotEqualTo(new float[count]);
      other.submit(rows::close).get();
    }
  }

  @ParameterizedTest
  @EnumSource(Layout.class)
  void refusesAFactorThatIsNotFinite(Layout layout) {
    Values a = Values.random(1, 2, 6);
    a.floats()[7] = Float.POSITIVE_INFINITY;
    Factors factors = factors(a, Values.random(2, 4, 2), new Blocks(1, 1));

    assertThatThrownBy(
            () -> {
              try (LowRankRows rows =
                  LowRankRows.of(change(factors, OutputRange.ALL, layout), adapter)) {
                rows.apply(0, new float[6], 4);
              }
            })
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("tensor 'a' holds Infinity at index 7");
  }

  /** The sizes lie on either side of the windows and of what stays in the heap. */
  @ParameterizedTest
  @CsvSource({
    "OUT_IN, 64, 40000, 3",
    "IN_OUT, 64, 40000, 3",
    "OUT_IN, 64, 3, 40000",
    "IN_OUT, 64, 3, 40000",
    "OUT_IN, 61, 17200, 2",
    "IN_OUT, 5, 1023, 7"
  })
  void computesEveryElementInTheDocumentedOrder(Layout layout, int rank, int in, int out) {
    Values a = Values.random(in, rank, in);
    Values b = Values.random(out, out, rank);
    Factors factors = factors(a, b, new Blocks(1, 1));
    ScalarReference.Factors reference =
        new ScalarReference.Factors(a.floats(), b.floats(), rank, in, SCALE);
    int rows = layout == Layout.OUT_IN ? out : in;
    int columns = layout == Layout.OUT_IN ? in : out;
    float[] values = new float[columns];

    try (LowRankRows low = LowRankRows.of(change(factors, OutputRange.ALL, layout), adapter)) {
      for (int row = 0; row < rows; row++) {
        Arrays.fill(values, 0.5f);
        low.apply(row, values, columns);
        for (int column = 0; column < columns; column++) {
          int o = layout == Layout.OUT_IN ? row : column;
          int i = layout == Layout.OUT_IN ? column : row;
          assertThat(values[column]).isEqualTo(ScalarReference.fastElement(0.5f, reference, o, i));
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Layout.class)
  void takesTheRowsOfBThatCount(Layout layout) {
    Values a = Values.random(1, 3, 4);
    Values b = Values.random(2, 9, 3);
    Factors factors = factors(a, b, new Blocks(1, 1));
    ScalarReference.Factors reference =
        new ScalarReference.Factors(a.floats(), b.floats(), 3, 4, SCALE);
    int columns = layout == Layout.OUT_IN ? 4 : 2;
    float[] values = new float[columns];

    try (LowRankRows low =
        LowRankRows.of(change(factors, new OutputRange(5, 2), layout), adapter)) {
      low.apply(1, values, columns);
    }

    for (int column = 0; column < columns; column++) {
      int o = layout == Layout.OUT_IN ? 6 : 5 + column;
      int i = layout == Layout.OUT_IN ? column : 1;
      assertThat(values[column]).isEqualTo(ScalarReference.fastElement(0f, reference, o, i));
    }
  }

  @ParameterizedTest
  @EnumSource(Layout.class)
  void expandsBlocks(Layout layout) {
    Values a = Values.random(1, 4, 3);
    Values b = Values.random(2, 10, 2);
    Factors factors = factors(a, b, new Blocks(2, 2));
    float[] wholeA = new float[4 * 6];
    float[] wholeB = new float[10 * 4];
    for (int j = 0; j < 4; j++) {
      System.arraycopy(a.floats(), j * 3, wholeA, j * 6 + j / 2 * 3, 3);
    }
    for (int o = 0; o < 10; o++) {
      System.arraycopy(b.floats(), o * 2, wholeB, o * 4 + o / 5 * 2, 2);
    }
    ScalarReference.Factors reference = new ScalarReference.Factors(wholeA, wholeB, 4, 6, SCALE);
    int columns = layout == Layout.OUT_IN ? 6 : 10;
    float[] values = new float[columns];

    try (LowRankRows low = LowRankRows.of(change(factors, OutputRange.ALL, layout), adapter)) {
      low.apply(5, values, columns);
    }

    for (int column = 0; column < columns; column++) {
      int o = layout == Layout.OUT_IN ? 5 : column;
      int i = layout == Layout.OUT_IN ? column : 5;
      assertThat(values[column]).isEqualTo(ScalarReference.fastElement(0f, reference, o, i));
    }
  }

  @Test
  void refusesRowsThatBDoesNotHave() {
    Factors factors = factors(Values.random(1, 2, 4), Values.random(2, 3, 2), new Blocks(1, 1));

    assertThatThrownBy(
            () -> LowRankRows.of(change(factors, new OutputRange(2, 2), Layout.OUT_IN), adapter))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no 2 rows from 2 of a factor with 3");
  }
}
