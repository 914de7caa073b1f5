package dev.graft.onnx;

import dev.graft.onnx.proto.AttributeProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.ValueInfoProto;
import java.util.List;

/**
 * One change to a model beside new values for its tensors. Nodes, tensors and functions are the
 * base's own objects, known by identity, so every edit says where it belongs in the base and no
 * edit moves the place of another.
 *
 * <p>{@link ModelPatch} carries edits out on the file; {@link EditedModel} on the parsed model, by
 * other means, for whoever wants to check the file.
 */
public sealed interface GraphEdit {

  /** On which side of its anchor something is put. */
  enum Side {
    BEFORE,
    AFTER
  }

  /** Where the values of a new tensor are kept. */
  enum Keeping {
    /**
     * In the base's first data file if it has one. Tensors of less than 1 KB are always embedded,
     * because readers look at the values of small constants before data files are there.
     */
    LIKE_BASE,
    /** In the model file. */
    EMBEDDED
  }

  /** Which list of the main graph declares a value. */
  enum Declaration {
    INPUT(11),
    OUTPUT(12),
    VALUE_INFO(13);

    private final int field;

    Declaration(int field) {
      this.field = field;
    }

    int field() {
      return field;
    }
  }

  /**
   * New nodes beside one of the base, in its graph, subgraph or function body. Several insertions
   * at one side of a node keep the order of their calls; where two nodes are neighbours, what goes
   * after the first comes before what goes before the second. A removed node is an anchor still:
   * new nodes take its place.
   *
   * @param anchor the node of the base
   * @param side where from there
   * @param nodes the new nodes, in order
   */
  record InsertNodes(NodePart anchor, Side side, List<NodeProto> nodes) implements GraphEdit {

    /** Keeps an own copy. */
    public InsertNodes {
      nodes = List.copyOf(nodes);
    }

    /** Nodes directly before one. */
    public static InsertNodes before(NodePart anchor, List<NodeProto> nodes) {
      return new InsertNodes(anchor, Side.BEFORE, nodes);
    }

    /** Nodes directly after one. */
    public static InsertNodes after(NodePart anchor, List<NodeProto> nodes) {
      return new InsertNodes(anchor, Side.AFTER, nodes);
    }
  }

  /** Takes a node out of its graph, with all that is below it. */
  record RemoveNode(NodePart node) implements GraphEdit {}

  /** Gives an output of a node another name; who reads it is not changed. */
  record RenameOutput(NodePart node, int output, String name) implements GraphEdit {

    /**
     * Checks the index.
     *
     * @throws IllegalArgumentException if the node has no such output or the name is empty
     */
    public RenameOutput {
      int outputs = node.proto().getOutputCount();
      if (output < 0 || output >= outputs) {
        throw new IllegalArgumentException(
            "node '%s' has %d outputs, none with index %d"
                .formatted(node.label(), outputs, output));
      }
      if (name.isEmpty()) {
        throw new IllegalArgumentException(
            "output %d of node '%s' needs a name".formatted(output, node.label()));
      }
    }
  }

  /**
   * Makes a node read a value. The input may lie beyond those that the node has: inputs in between
   * are then left out, as ONNX does it, by empty names.
   */
  record SetInput(NodePart node, int input, String name) implements GraphEdit {

    /** More than any operator takes; it bounds what a wrong index can write. */
    private static final int MOST = 1 << 16;

    /**
     * Checks the index.
     *
     * @throws IllegalArgumentException if it is negative or absurd
     */
    public SetInput {
      if (input < 0 || input >= Math.max(MOST, node.proto().getInputCount())) {
        throw new IllegalArgumentException(
            "node '%s' has %d inputs and can have none with index %d"
                .formatted(node.label(), node.proto().getInputCount(), input));
      }
    }
  }

  /** Gives a node an attribute, in the place of the one of that name if there is one. */
  record SetAttribute(NodePart node, AttributeProto attribute) implements GraphEdit {

    /**
     * Checks the name.
     *
     * @throws IllegalArgumentException if it is empty
     */
    public SetAttribute {
      if (attribute.getName().isEmpty()) {
        throw new IllegalArgumentException(
            "a new attribute of node '%s' needs a name".formatted(node.label()));
      }
    }
  }

  /** Adds an initializer to the main graph, behind all others. */
  record AddInitializer(NewTensor tensor, Keeping keeping) implements GraphEdit {}

  /** Takes an initializer out of its graph; bytes in a data file stay there unread. */
  record RemoveInitializer(StoredTensor tensor) implements GraphEdit {}

  /**
   * Gives an initializer or an attribute's tensor another shape, another type or both, under the
   * same name. Doc string, metadata and everything else of its message stay. Embedded values are
   * replaced where they stand; external ones are put behind everything else in their data file, and
   * the old bytes stay there unread.
   */
  record ReplaceTensor(StoredTensor tensor, NewTensor replacement) implements GraphEdit {

    /**
     * Checks the names.
     *
     * @throws IllegalArgumentException if they differ
     */
    public ReplaceTensor {
      if (!replacement.name().equals(tensor.name())) {
        throw new IllegalArgumentException(
            "tensor '%s' has the name '%s', its replacement '%s'"
                .formatted(tensor.label(), tensor.name(), replacement.name()));
      }
    }
  }

  /** Declares one more value of the main graph, behind the others of its list. */
  record AddValue(Declaration list, ValueInfoProto value) implements GraphEdit {}

  /** Declares a value of the main graph in another way, under the same name. */
  record ReplaceValue(Declaration list, ValueInfoProto value) implements GraphEdit {}

  /** Takes a declaration out of a list of the main graph. */
  record RemoveValue(Declaration list, String name) implements GraphEdit {}

  /**
   * Fixes one dimension in the declared shape of a value of the main graph.
   *
   * @param list where it is declared
   * @param name the value
   * @param axis which dimension; negative ones are counted from the last, which is -1
   * @param size the number of elements along it
   */
  record SetDimension(Declaration list, String name, int axis, long size) implements GraphEdit {

    /**
     * Checks the size.
     *
     * @throws IllegalArgumentException if it is negative
     */
    public SetDimension {
      if (size < 0) {
        throw new IllegalArgumentException(
            "dimension %d of '%s' cannot be %d".formatted(axis, name, size));
      }
    }
  }

  /**
   * Sees that the model imports an operator set. Nothing happens if it does so already.
   *
   * @param domain its domain; ONNX's own is {@code ""}
   * @param version its version
   */
  record ImportOperators(String domain, long version) implements GraphEdit {}

  /** Sees that a function imports an operator set, as each does for itself. */
  record ImportInFunction(FunctionPart function, String domain, long version)
      implements GraphEdit {}

  /** Gives a function one more input, behind the others. */
  record AddFunctionInput(FunctionPart function, String name) implements GraphEdit {}
}
