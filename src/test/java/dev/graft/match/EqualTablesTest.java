package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.StoredTensor;
import dev.graft.tensor.DType;
import dev.graft.testing.Graphs;
import dev.graft.testing.Values;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EqualTablesTest {

  @TempDir Path folder;

  private record Tables(OnnxModel model) {
    boolean same(String a, String b, Turn turn) {
      return new EqualTables(model).same(tensor(a), tensor(b), turn);
    }

    private StoredTensor tensor(String name) {
      return model.tensors().stream().filter(t -> t.name().equals(name)).findFirst().orElseThrow();
    }
  }

  private Tables tables(Graphs graphs) {
    return new Tables(OnnxModel.open(graphs.write(folder)));
  }

  /** Every element counts, whichever tile it lies in; the sizes take several tiles. */
  @ParameterizedTest
  @CsvSource({"2200, 1100, 0", "2200, 1100, 1500001", "1100, 2200, 2419999", "3, 5, 7"})
  void seesASingleOtherElement(int rows, int columns, int element) {
    Values w = Values.random(1, rows, columns);
    Values other = Values.random(1, rows, columns);
    other.floats()[element] += 1;
    Tables tables =
        tables(
            Graphs.create()
                .weight("a", w)
                .weight("turned", w.transposed())
                .weight("b", other)
                .weight("b turned", other.transposed()));

    assertThat(tables.same("a", "turned", Turn.TRANSPOSED)).isTrue();
    assertThat(tables.same("a", "a", Turn.AS_IS)).isTrue();
    assertThat(tables.same("a", "b", Turn.AS_IS)).isFalse();
    assertThat(tables.same("a", "b turned", Turn.TRANSPOSED)).isFalse();
    assertThat(tables.same("b turned", "a", Turn.TRANSPOSED)).isFalse();
  }

  @Test
  void refusesOtherShapes() {
    Tables tables =
        tables(
            Graphs.create()
                .weight("a", Values.filled(1, 2, 3))
                .weight("b", Values.filled(1, 3, 2))
                .weight("c", Values.filled(1, 6, 1)));

    assertThat(tables.same("a", "b", Turn.AS_IS)).isFalse();
    assertThat(tables.same("a", "a", Turn.TRANSPOSED)).isFalse();
    assertThat(tables.same("a", "c", Turn.AS_IS)).isFalse();
    assertThat(tables.same("a", "b", Turn.TRANSPOSED)).isTrue();
  }

  @Test
  void comparesValuesAcrossTypesFilesAndFields() {
    Values w = Values.random(1, 30, 20).as(DType.FLOAT16);
    Values wide = new Values(DType.FLOAT32, w.shape(), w.floats());
    Tables tables =
        tables(
            Graphs.create()
                .weight("half", w)
                .external("wide", wide.transposed(), "weights.bin")
                .weight(wide.typed("typed"))
                .weight("brain", wide.as(DType.BFLOAT16)));

    assertThat(tables.same("half", "wide", Turn.TRANSPOSED)).isTrue();
    assertThat(tables.same("half", "typed", Turn.AS_IS)).isTrue();
    assertThat(tables.same("typed", "wide", Turn.TRANSPOSED)).isTrue();
    assertThat(tables.same("half", "brain", Turn.AS_IS)).isFalse();
  }
}
