package dev.graft.onnx;

import dev.graft.error.UnsupportedException;
import dev.graft.io.ByteSource;
import dev.graft.onnx.GraphEdit.AddInitializer;
import dev.graft.onnx.GraphEdit.Keeping;
import dev.graft.onnx.GraphEdit.SetInput;
import dev.graft.onnx.TensorEdits.PatchedFiles;
import java.util.Map;
import java.util.SequencedMap;

/**
 * A model as changes to another one. Replaced payloads keep their place; nothing else moves unless
 * it has to, and every byte that no edit is about is the base's.
 */
public final class ModelPatch {

  /** The limit of protobuf and so of every reader of ONNX. */
  static final long MAX_MODEL_BYTES = Integer.MAX_VALUE;

  private final OnnxModel base;
  private final FieldIndex fields;
  private final WirePatch wire;
  private final DataFiles data;
  private final TensorEdits tensors;
  private final EditLog log;
  private boolean planned;

  /**
   * Begins a patch.
   *
   * @param base the model to change
   * @param file its file, open until the patch has been planned
   * @throws UnsupportedException if the model is a thin one: what it says of its base would not
   *     hold for what comes out
   */
  public ModelPatch(OnnxModel base, ByteSource file) {
    requireWhole(base);
    this.base = base;
    WireCursor cursor = new WireCursor(file);
    this.fields = new FieldIndex(cursor);
    this.wire = new WirePatch(base.path(), base.root());
    this.data = new DataFiles(base);
    this.tensors = new TensorEdits(base, cursor, fields, new PatchedFiles(wire, data));
    this.log = new EditLog(base);
  }

  private static void requireWhole(OnnxModel base) {
    ThinRecord.of(base)
        .ifPresent(thin -> {
          throw new UnsupportedException(
              "%s: is a thin model on the base '%s', which holds most of its weights; take the base itself, or make the model stand alone first: graft materialize -m %s -o FULL.onnx"
                  .formatted(base.path(), thin.base().location(), base.path()));
        });
  }

  /**
   * Gives a tensor new values of the same type and shape.
   *
   * @throws IllegalArgumentException if the length is another one, or the tensor has new values
   *     already
   * @throws IllegalStateException if an edit removes the tensor or replaces it as a whole
   */
  public void replaceValues(StoredTensor tensor, TensorContent content) {
    if (content.lengthBytes() != tensor.bytes()) {
      throw new IllegalArgumentException(
          "tensor '%s' has %d bytes, not %d"
              .formatted(tensor.label(), tensor.bytes(), content.lengthBytes()));
    }
    log.addValues(tensor);
    tensors.replaceValues(tensor, content);
  }

  /**
   * Changes the graph.
   *
   * @throws IllegalArgumentException if the edit names what the base does not have, or what it has
   *     already
   * @throws IllegalStateException if an edit before rules it out: the same place is set twice, or
   *     lies in what is removed or replaced as a whole
   */
  public void apply(GraphEdit edit) {
    log.add(edit);
  }

  /**
   * Makes a node read another value in the place of one that it reads.
   *
   * @throws IllegalArgumentException if the node has no such input
   * @throws IllegalStateException if the input is set already
   */
  public void rewireInput(NodePart node, int input, String name) {
    int inputs = node.proto().getInputCount();
    if (input < 0 || input >= inputs) {
      throw new IllegalArgumentException(
          "node '%s' has %d inputs, none with index %d".formatted(node.label(), inputs, input));
    }
    apply(new SetInput(node, input, name));
  }

  /**
   * Adds an initializer to the main graph, embedded or external as the base's own weights are.
   *
   * @throws IllegalStateException if the main graph has an initializer of that name
   */
  public void addInitializer(NewTensor tensor) {
    apply(new AddInitializer(tensor, Keeping.LIKE_BASE));
  }

  /**
   * Appends a metadata entry whose value, of exactly so many bytes, is given when the rest is
   * written.
   */
  public void appendMetadata(String key, int valueBytes) {
    wire.appendMetadata(key, valueBytes);
  }

  /**
   * Lays out the output. A patch can be laid out once.
   *
   * @param names the new location for each location of the base's data files; of several locations
   *     that mean one file the first one's counts, and the others follow it
   * @return plans by location; the model itself under the empty name, last
   * @throws UnsupportedException if the model file would pass 2 GB
   * @throws IllegalArgumentException if two files would get one name
   */
  public SequencedMap<String, FilePlan> plan(Map<String, String> names) {
    if (planned) {
      throw new IllegalStateException("the patch has been laid out already");
    }
    planned = true;
    data.rename(names);
    new NodeEdits(fields, wire).apply(log.edits());
    new StructureEdits(base, fields, wire).apply(log);
    tensors.apply(log.edits());
    tensors.renameLocations(log);
    SequencedMap<String, FilePlan> plans = data.plans();
    FilePlan model = wire.plan();
    if (model.lengthBytes() > MAX_MODEL_BYTES) {
      throw new UnsupportedException(
          "%s: the output would have %,d bytes with its embedded weights; ONNX files end at 2 GB. Save the base with external data first (onnx.save(model, path, save_as_external_data=True))"
              .formatted(base.path(), model.lengthBytes()));
    }
    plans.put("", model);
    return plans;
  }
}
