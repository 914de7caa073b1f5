package dev.graft.onnx;

import dev.graft.error.UnsupportedException;
import dev.graft.io.InputFile;
import dev.graft.onnx.MessageSpan.FieldPlace;
import dev.graft.onnx.StoredTensor.Storage;
import dev.graft.tensor.TensorSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;

/**
 * A model as changes to another one. Replaced payloads keep their place; nothing else moves unless
 * it has to.
 */
public final class ModelPatch {

  /** The limit of protobuf and so of every reader of ONNX. */
  static final long MAX_MODEL_BYTES = Integer.MAX_VALUE;

  private static final int NODE_INPUT = 1;
  private static final int GRAPH_INITIALIZER = 5;
  private static final int TENSOR_RAW_DATA = 9;
  private static final int TENSOR_EXTERNAL_DATA = 13;
  private static final int MODEL_METADATA = 14;

  private final OnnxModel base;
  private final WireCursor cursor;
  private final WirePatch wire;
  private final Set<StoredTensor> replaced = Collections.newSetFromMap(new IdentityHashMap<>());
  private final SequencedMap<Path, DataFilePatch> dataFiles = new LinkedHashMap<>();
  private final List<NewTensor> added = new ArrayList<>();
  private boolean planned;

  /**
   * Begins a patch.
   *
   * @param base the model to change
   * @param file its file, open until the patch has been planned
   */
  public ModelPatch(OnnxModel base, InputFile file) {
    this.base = base;
    this.cursor = new WireCursor(file);
    this.wire = new WirePatch(base.path(), base.root());
  }

  /**
   * Gives a tensor new values of the same type and shape.
   *
   * @throws IllegalArgumentException if the length is another one, or the tensor has new values
   *     already
   */
  public void replaceValues(StoredTensor tensor, TensorContent content) {
    if (content.lengthBytes() != tensor.bytes()) {
      throw new IllegalArgumentException(
          "tensor '%s' has %d bytes, not %d"
              .formatted(tensor.label(), tensor.bytes(), content.lengthBytes()));
    }
    if (!replaced.add(tensor)) {
      throw new IllegalArgumentException("tensor '" + tensor.label() + "' is replaced twice");
    }
    if (tensor.bytes() == 0) {
      return;
    }
    switch (tensor.storage()) {
      case EXTERNAL -> {
        TensorSource source = tensor.source().orElseThrow();
        dataFile(source.file()).replace(source, content);
      }
      case EMBEDDED -> {
        TensorSource source = tensor.source().orElseThrow();
        FieldRange range = new FieldRange(source.offset(), source.end());
        wire.replace(tensor.span(), range, new Piece.Produced(content));
      }
      case TYPED -> replaceTyped(tensor, content);
    }
  }

  /**
   * Makes a node read another value.
   *
   * @throws IllegalArgumentException if the node has no such input
   */
  public void rewireInput(NodePart node, int input, String name) {
    List<FieldRange> inputs = FieldRange.find(cursor, node.span(), NODE_INPUT);
    if (input < 0 || input >= inputs.size()) {
      throw new IllegalArgumentException(
          "node '%s' has %d inputs, none with index %d"
              .formatted(node.label(), inputs.size(), input));
    }
    byte[] field = new WireBytes().string(NODE_INPUT, name).toByteArray();
    wire.replace(node.span(), inputs.get(input), Piece.Literal.of(field));
  }

  /**
   * Adds an initializer to the main graph, embedded or external as the base's own weights are.
   *
   * @throws IllegalArgumentException if its content is not as long as type and shape ask for
   */
  public void addInitializer(NewTensor tensor) {
    long expected = tensor.dtype().bytes(tensor.shape().elements());
    if (tensor.content().lengthBytes() != expected) {
      throw new IllegalArgumentException(
          "new tensor '%s' has %d bytes, not %d"
              .formatted(tensor.name(), tensor.content().lengthBytes(), expected));
    }
    added.add(tensor);
  }

  /**
   * Appends a metadata entry whose value, of exactly so many bytes, is given when the rest is
   * written.
   */
  public void appendMetadata(String key, int valueBytes) {
    byte[] keyField = new WireBytes().string(1, key).toByteArray();
    byte[] valueHeader = WireBytes.header(2, valueBytes);
    long length = keyField.length + valueHeader.length + (long) valueBytes;
    wire.replace(
        base.root(),
        endOf(base.root()),
        Piece.Literal.of(WireBytes.header(MODEL_METADATA, length)),
        Piece.Literal.of(keyField),
        Piece.Literal.of(valueHeader),
        new Piece.Deferred(valueBytes));
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
    SequencedMap<Path, String> fileNames = fileNames(names);
    added.forEach(tensor -> place(tensor, fileNames));
    renameLocations(fileNames);
    SequencedMap<String, FilePlan> plans = new LinkedHashMap<>();
    fileNames.forEach((file, name) -> plans.put(name, dataFile(file).plan()));
    FilePlan model = wire.plan();
    if (model.lengthBytes() > MAX_MODEL_BYTES) {
      throw new UnsupportedException(
          "%s: the output would have %,d bytes with its embedded weights; ONNX files end at 2 GB. Save the base with external data first (onnx.save(model, path, save_as_external_data=True))"
              .formatted(base.path(), model.lengthBytes()));
    }
    plans.put("", model);
    return plans;
  }

  private SequencedMap<Path, String> fileNames(Map<String, String> names) {
    SequencedMap<Path, String> fileNames = new LinkedHashMap<>();
    base.dataFiles()
        .forEach((location, file) ->
            fileNames.putIfAbsent(file, names.getOrDefault(location, location)));
    if (Set.copyOf(fileNames.values()).size() < fileNames.size()) {
      throw new IllegalArgumentException(
          base.path() + ": two data files would get one name: " + fileNames);
    }
    return fileNames;
  }

  private DataFilePatch dataFile(Path path) {
    return dataFiles.computeIfAbsent(
        path,
        p -> {
          try (InputFile data = base.openSource(p)) {
            return new DataFilePatch(p, data.size());
          }
        });
  }

  private void place(NewTensor tensor, SequencedMap<Path, String> fileNames) {
    WireBytes body = new WireBytes();
    for (long dim : tensor.shape().toArray()) {
      body.number(1, dim);
    }
    body.number(2, tensor.dtype().onnxCode()).string(8, tensor.name());
    long bytes = tensor.content().lengthBytes();
    MessageSpan graph = base.graph().span();
    if (fileNames.isEmpty()) {
      byte[] head = body.toByteArray();
      byte[] raw = WireBytes.header(TENSOR_RAW_DATA, bytes);
      wire.replace(
          graph,
          endOf(graph),
          Piece.Literal.of(WireBytes.header(GRAPH_INITIALIZER, head.length + raw.length + bytes)),
          Piece.Literal.of(head),
          Piece.Literal.of(raw),
          new Piece.Produced(tensor.content()));
      return;
    }
    long offset = dataFile(fileNames.firstEntry().getKey()).append(tensor.content());
    body.bytes(TENSOR_EXTERNAL_DATA, entry("location", fileNames.firstEntry().getValue()))
        .bytes(TENSOR_EXTERNAL_DATA, entry("offset", Long.toString(offset)))
        .bytes(TENSOR_EXTERNAL_DATA, entry("length", Long.toString(bytes)))
        .number(14, 1);
    byte[] whole = new WireBytes().bytes(GRAPH_INITIALIZER, body.toByteArray()).toByteArray();
    wire.replace(graph, endOf(graph), Piece.Literal.of(whole));
  }

  private void renameLocations(Map<Path, String> fileNames) {
    Map<String, Path> files = base.dataFiles();
    for (StoredTensor tensor : base.tensors()) {
      if (tensor.storage() != Storage.EXTERNAL) {
        continue;
      }
      for (int i = 0; i < tensor.proto().getExternalDataCount(); i++) {
        if (tensor.proto().getExternalData(i).getKey().equals("location")) {
          String location = tensor.proto().getExternalData(i).getValue();
          String renamed = fileNames.getOrDefault(files.get(location), location);
          if (!renamed.equals(location)) {
            renameLocation(tensor, i, renamed);
          }
        }
      }
    }
  }

  private void renameLocation(StoredTensor tensor, int entryIndex, String renamed) {
    MessageSpan span = tensor.span();
    cursor.seek(FieldRange.find(cursor, span, TENSOR_EXTERNAL_DATA).get(entryIndex).start());
    cursor.tag(span.bodyEnd());
    FieldPlace place = new FieldPlace(TENSOR_EXTERNAL_DATA, entryIndex);
    MessageSpan entry = MessageSpan.read(cursor, span, place);
    // Of a repeated field protobuf takes the last.
    FieldRange value = FieldRange.find(cursor, entry, 2).getLast();
    byte[] field = new WireBytes().string(2, renamed).toByteArray();
    wire.replace(entry, value, Piece.Literal.of(field));
  }

  private void replaceTyped(StoredTensor tensor, TensorContent content) {
    ScanBudget budget = new ScanBudget(base.path(), Runtime.getRuntime().maxMemory());
    List<FieldRange> ranges = PayloadWalk.of(cursor, tensor.span(), budget).ranges();
    wire.replace(
        tensor.span(),
        ranges.getFirst(),
        Piece.Literal.of(WireBytes.header(TENSOR_RAW_DATA, content.lengthBytes())),
        new Piece.Produced(content));
    for (FieldRange rest : ranges.subList(1, ranges.size())) {
      wire.replace(tensor.span(), rest);
    }
  }

  private static FieldRange endOf(MessageSpan span) {
    return new FieldRange(span.bodyEnd(), span.bodyEnd());
  }

  private static byte[] entry(String key, String value) {
    return new WireBytes().string(1, key).string(2, value).toByteArray();
  }
}
