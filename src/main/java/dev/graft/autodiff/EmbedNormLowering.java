package dev.graft.autodiff;

import dev.graft.error.UnsupportedException;
import dev.graft.onnx.Attributes;
import dev.graft.tensor.DType;
import java.util.List;

/**
 * EmbedLayerNormalization: the layer norm of the sum of word, position and segment embeddings.
 * Positions count from 0 where none are given.
 */
final class EmbedNormLowering implements Lowering {

  private static final int MASK = 7;
  private static final int POSITIONS = 8;

  @Override
  public void apply(OpNode node, Emitter emit) {
    String sum = emit.op("Gather", node.input(2), node.input(0));
    String positions =
        node.hasInput(POSITIONS)
            ? emit.op("Gather", node.input(3), node.input(POSITIONS))
            : emit.head(node.input(3), emit.lengthOf(node.input(0), 1));
    sum = emit.add(sum, positions);
    if (node.hasInput(1) && node.hasInput(4)) {
      sum = emit.add(sum, emit.op("Gather", node.input(4), node.input(1)));
    }
    String result =
        emit.op(
            "LayerNormalization",
            List.of(sum, node.input(5), node.input(6)),
            Attributes.of("axis", -1L),
            Attributes.of("epsilon", node.floatAttribute("epsilon", 1e-12f)));
    emit.alias(result, node.proto().getOutput(0));
    if (node.hasOutput(1)) {
      emit.alias(lengths(node, emit), node.proto().getOutput(1));
    }
    if (node.hasOutput(2)) {
      emit.alias(sum, node.proto().getOutput(2));
    }
  }

  /** The second output: the number of tokens of each row that the mask lets through. */
  private static String lengths(OpNode node, Emitter emit) {
    if (!node.hasInput(MASK)) {
      throw new UnsupportedException(
          "%s cannot be trained through: it gives out a mask without having one"
              .formatted(Places.describe(node.proto())));
    }
    return emit.cast(
        emit.sumDropped(emit.cast(node.input(MASK), DType.INT64), List.of(1)), DType.INT32);
  }
}
