package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class FilePlanTest {

  @Test
  void keepsItsOwnCopyOfThePieces() {
    List<Piece> pieces = new ArrayList<>(List.of(new Piece.Deferred(3)));
    FilePlan plan = new FilePlan(pieces);
    pieces.clear();
    assertThat(plan.pieces()).hasSize(1);
  }

  @Test
  void isAsLongAsItsPieces() {
    FilePlan plan =
        new FilePlan(
            List.of(
                new Piece.Copied(Path.of("a"), 5, 4L << 30),
                Piece.Literal.of(new byte[7]),
                new Piece.Deferred(3),
                new Piece.Produced(new Outputs.Length(11))));
    assertThat(plan.lengthBytes()).isEqualTo((4L << 30) + 21);
  }
}
