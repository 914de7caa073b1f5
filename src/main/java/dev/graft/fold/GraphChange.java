package dev.graft.fold;

import dev.graft.onnx.GraphEdit;
import dev.graft.onnx.GraphEdit.AddInitializer;
import dev.graft.onnx.GraphEdit.InsertNodes;
import dev.graft.onnx.GraphEdit.RenameOutput;
import dev.graft.onnx.GraphEdit.ReplaceTensor;
import dev.graft.onnx.GraphEdit.SetDimension;
import dev.graft.onnx.GraphEdit.SetInput;
import java.util.List;
import java.util.Locale;

/**
 * One change to the graph that is more than new values for a tensor.
 *
 * @param kind {@code branch} for a module whose branch is gone, {@code node} for a new node, {@code
 *     tensor} for a new initializer, {@code input} and {@code output} for a node's, {@code shape}
 *     for a tensor of another shape, {@code declared} for a dimension that the model states
 * @param name the node, tensor or value that is new or changes
 * @param detail how
 */
public record GraphChange(String kind, String name, String detail) {

  static List<GraphChange> of(List<GraphEdit> edits) {
    return edits.stream().flatMap(e -> of(e).stream()).toList();
  }

  private static List<GraphChange> of(GraphEdit edit) {
    return switch (edit) {
      case InsertNodes insert ->
          insert.nodes().stream()
              .map(n ->
                  new GraphChange(
                      "node",
                      n.getName(),
                      "%s %s '%s'"
                          .formatted(n.getOpType(), lower(insert.side()), insert.anchor().label())))
              .toList();
      case RenameOutput rename ->
          one(
              "output",
              rename.node().label(),
              "output '%s' becomes '%s'"
                  .formatted(rename.node().proto().getOutput(rename.output()), rename.name()));
      case SetInput set ->
          one(
              "input",
              set.node().label(),
              "input %d reads '%s'".formatted(set.input(), set.name()));
      case AddInitializer add ->
          one("tensor", add.tensor().name(), add.tensor().dtype() + " " + add.tensor().shape());
      case ReplaceTensor replace ->
          one(
              "shape",
              replace.tensor().label(),
              replace.tensor().shape() + " becomes " + replace.replacement().shape());
      case SetDimension set ->
          one(
              "declared",
              set.name(),
              "dimension %d of the %s becomes %d"
                  .formatted(set.axis(), lower(set.list()).replace('_', ' '), set.size()));
      default ->
          throw new IllegalStateException("a merge makes no " + edit.getClass().getSimpleName());
    };
  }

  private static List<GraphChange> one(String kind, String name, String detail) {
    return List.of(new GraphChange(kind, name, detail));
  }

  private static String lower(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }
}
