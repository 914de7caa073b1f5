package dev.graft.onnx;

import dev.graft.error.UnsupportedException;
import dev.graft.io.InputFile;
import dev.graft.onnx.proto.StringStringEntryProto;
import dev.graft.tensor.TensorSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * A model as changes to another one. Replaced payloads keep their place; nothing else moves unless
 * it has to.
 */
public final class ModelPatch {

  /** The limit of protobuf and so of every reader of ONNX. */
  static final long MAX_MODEL_BYTES = Integer.MAX_VALUE;

  private static final int ALIGNMENT = 4096;

  /** New bytes for a range of a data file. */
  private record Change(long offset, long end, TensorContent content) {}

  private final OnnxModel base;
  private final InputFile file;
  private final WirePatch wire;
  private final SequencedMap<Path, List<Change>> dataChanges = new LinkedHashMap<>();
  private final List<NewTensor> added = new ArrayList<>();

  /**
   * Begins a patch.
   *
   * @param base the model to change
   * @param file its file, open until the patch has been planned
   */
  public ModelPatch(OnnxModel base, InputFile file) {
    this.base = base;
    this.file = file;
    this.wire = new WirePatch(base.path(), base.root());
  }

  /** Gives a tensor new values of the same type and shape. */
  public void replaceValues(StoredTensor tensor, TensorContent content) {
    if (content.lengthBytes() != tensor.bytes()) {
      throw new IllegalArgumentException(
          "tensor '%s' has %d bytes, not %d"
              .formatted(tensor.label(), tensor.bytes(), content.lengthBytes()));
    }
    switch (tensor.storage()) {
      case EXTERNAL -> {
        TensorSource source = tensor.source().orElseThrow();
        dataChanges
            .computeIfAbsent(source.file(), f -> new ArrayList<>())
            .add(new Change(source.offset(), source.end(), content));
      }
      case EMBEDDED -> {
        TensorSource source = tensor.source().orElseThrow();
        wire.replace(tensor.span(), source.offset(), source.end(), new Piece.Produced(content));
      }
      case TYPED -> replaceTyped(tensor, content);
    }
  }

  /** Makes a node read another value. */
  public void rewireInput(NodePart node, int input, String name) {
    FieldRange range = FieldRange.find(file, node.span(), 1).get(input);
    byte[] field = new WireBytes().string(1, name).toByteArray();
    wire.replace(node.span(), range.start(), range.end(), Piece.Literal.of(field));
  }

  /** Adds an initializer to the main graph, embedded or external as the base's own weights are. */
  public void addInitializer(NewTensor tensor) {
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
    long end = base.root().bodyEnd();
    wire.replace(
        base.root(),
        end,
        end,
        Piece.Literal.of(WireBytes.header(14, length)),
        Piece.Literal.of(keyField),
        Piece.Literal.of(valueHeader),
        new Piece.Deferred(valueBytes));
  }

  /**
   * Lays out the output.
   *
   * @param names the new location for each location of the base's data files
   * @return plans by location; the model itself under the empty name, last
   * @throws UnsupportedException if the model file would pass 2 GB
   */
  public SequencedMap<String, FilePlan> plan(Map<String, String> names) {
    SequencedMap<String, FilePlan> plans = new LinkedHashMap<>();
    base.dataFiles()
        .forEach(
            (location, path) -> plans.put(names.getOrDefault(location, location), dataFile(path)));
    placeAdded(plans, names);
    renameLocations(names);
    FilePlan model = wire.plan();
    if (model.lengthBytes() > MAX_MODEL_BYTES) {
      throw new UnsupportedException(
          "%s: the output would have %,d bytes with its embedded weights; ONNX files end at 2 GB. Save the base with external data first (onnx.save(model, path, save_as_external_data=True))"
              .formatted(base.path(), model.lengthBytes()));
    }
    plans.put("", model);
    return plans;
  }

  private FilePlan dataFile(Path path) {
    List<Change> changes = new ArrayList<>(dataChanges.getOrDefault(path, List.of()));
    changes.sort(Comparator.comparingLong(Change::offset));
    List<Piece> pieces = new ArrayList<>();
    long copied = 0;
    for (Change change : changes) {
      if (change.offset() < copied) {
        throw new IllegalStateException(path + ": two changes overlap at byte " + change.offset());
      }
      if (change.offset() > copied) {
        pieces.add(new Piece.Copied(path, copied, change.offset() - copied));
      }
      pieces.add(new Piece.Produced(change.content()));
      copied = change.end();
    }
    long length;
    try (InputFile data = base.openSource(path)) {
      length = data.size();
    }
    if (length > copied) {
      pieces.add(new Piece.Copied(path, copied, length - copied));
    }
    return new FilePlan(pieces);
  }

  private void placeAdded(SequencedMap<String, FilePlan> plans, Map<String, String> names) {
    long graphEnd = base.graph().span().bodyEnd();
    for (NewTensor tensor : added) {
      WireBytes body = new WireBytes();
      for (long dim : tensor.shape().toArray()) {
        body.number(1, dim);
      }
      body.number(2, tensor.dtype().onnxCode()).string(8, tensor.name());
      if (base.dataFiles().isEmpty()) {
        byte[] head = body.toByteArray();
        byte[] raw = WireBytes.header(9, tensor.content().lengthBytes());
        long length = head.length + raw.length + tensor.content().lengthBytes();
        wire.replace(
            base.graph().span(),
            graphEnd,
            graphEnd,
            Piece.Literal.of(WireBytes.header(5, length)),
            Piece.Literal.of(head),
            Piece.Literal.of(raw),
            new Piece.Produced(tensor.content()));
      } else {
        String location = base.dataFiles().firstEntry().getKey();
        String target = names.getOrDefault(location, location);
        FilePlan file = plans.get(target);
        List<Piece> pieces = new ArrayList<>(file == null ? List.of() : file.pieces());
        long end = file == null ? 0 : file.lengthBytes();
        long offset = Math.ceilDiv(end, ALIGNMENT) * ALIGNMENT;
        pieces.add(Piece.Literal.of(new byte[(int) (offset - end)]));
        pieces.add(new Piece.Produced(tensor.content()));
        plans.put(target, new FilePlan(pieces));
        body.bytes(13, entry("location", target))
            .bytes(13, entry("offset", Long.toString(offset)))
            .bytes(13, entry("length", Long.toString(tensor.content().lengthBytes())))
            .number(14, 1);
        byte[] whole = new WireBytes().bytes(5, body.toByteArray()).toByteArray();
        wire.replace(base.graph().span(), graphEnd, graphEnd, Piece.Literal.of(whole));
      }
    }
  }

  private void renameLocations(Map<String, String> names) {
    for (StoredTensor tensor : base.tensors()) {
      if (tensor.storage() != StoredTensor.Storage.EXTERNAL) {
        continue;
      }
      List<StringStringEntryProto> entries = tensor.proto().getExternalDataList();
      for (int i = 0; i < entries.size(); i++) {
        String renamed = names.get(entries.get(i).getValue());
        if (entries.get(i).getKey().equals("location")
            && renamed != null
            && !renamed.equals(entries.get(i).getValue())) {
          FieldRange range = FieldRange.find(file, tensor.span(), 13).get(i);
          byte[] field = new WireBytes().bytes(13, entry("location", renamed)).toByteArray();
          wire.replace(tensor.span(), range.start(), range.end(), Piece.Literal.of(field));
        }
      }
    }
  }

  private void replaceTyped(StoredTensor tensor, TensorContent content) {
    boolean placed = false;
    for (int field : new int[] {4, 5, 6, 7, 10, 11}) {
      for (FieldRange range : FieldRange.find(file, tensor.span(), field)) {
        if (placed) {
          wire.replace(tensor.span(), range.start(), range.end());
        } else {
          wire.replace(
              tensor.span(),
              range.start(),
              range.end(),
              Piece.Literal.of(WireBytes.header(9, content.lengthBytes())),
              new Piece.Produced(content));
          placed = true;
        }
      }
    }
  }

  private static byte[] entry(String key, String value) {
    return new WireBytes().string(1, key).string(2, value).toByteArray();
  }
}
