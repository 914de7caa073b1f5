package dev.graft.fold;

import dev.graft.onnx.GraphEdit;
import dev.graft.onnx.GraphEdit.RenameOutput;
import dev.graft.onnx.GraphEdit.SetInput;
import dev.graft.onnx.NodePart;
import dev.graft.onnx.OnnxModel;
import java.util.List;

/**
 * A model with branches, seen without them: what their adapter is merged into. The output is made
 * of the model's own file, by the merge's edits together with those that take the branches out, so
 * its undo record leads back to the model with branches.
 *
 * @param model the model as it is
 * @param seen the same file seen without the branches
 * @param removal the edits that take them out
 * @param modules where they are
 */
public record BranchlessBase(
    OnnxModel model, OnnxModel seen, List<GraphEdit> removal, List<String> modules) {

  /** Keeps own copies. */
  public BranchlessBase {
    removal = List.copyOf(removal);
    modules = List.copyOf(modules);
  }

  /** What changes in the graph by them. */
  List<GraphChange> changes() {
    return modules.stream()
        .map(module -> new GraphChange("branch", module, "is folded and gone"))
        .toList();
  }

  /** The removal without what other edits set anew: such a name needs not be restored first. */
  List<GraphEdit> removalBeside(List<GraphEdit> edits) {
    return removal.stream()
        .filter(own -> edits.stream().noneMatch(edit -> isSamePlace(own, edit)))
        .toList();
  }

  private static boolean isSamePlace(GraphEdit removal, GraphEdit edit) {
    return switch (removal) {
      case RenameOutput(NodePart node, int output, String _) ->
          edit instanceof RenameOutput(NodePart other, int at, String _)
              && node.span() == other.span()
              && output == at;
      case SetInput(NodePart node, int input, String _) ->
          edit instanceof SetInput(NodePart other, int at, String _)
              && node.span() == other.span()
              && input == at;
      default -> false;
    };
  }
}
