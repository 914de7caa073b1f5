package dev.graft.onnx;

import dev.graft.onnx.GraphEdit.AddInitializer;
import dev.graft.onnx.GraphEdit.Keeping;
import dev.graft.onnx.GraphEdit.RemoveInitializer;
import dev.graft.onnx.GraphEdit.ReplaceTensor;
import dev.graft.onnx.StoredTensor.Storage;
import dev.graft.onnx.proto.StringStringEntryProto;
import dev.graft.tensor.TensorSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Turns edits of tensors into edits of bytes, in the model file and in its data files. */
final class TensorEdits {

  private static final int GRAPH_INITIALIZER = 5;
  private static final int DIMS = 1;
  private static final int DATA_TYPE = 2;
  private static final int NAME = 8;
  private static final int RAW_DATA = 9;
  private static final int EXTERNAL_DATA = 13;
  private static final int DATA_LOCATION = 14;

  /** What says where external values lie, and what they hash to. */
  private static final Set<String> PLACE = Set.of("location", "offset", "length", "checksum");

  private final OnnxModel base;
  private final WireCursor cursor;
  private final FieldIndex fields;
  private final WirePatch wire;
  private final DataFiles files;

  TensorEdits(OnnxModel base, WireCursor cursor, FieldIndex fields, PatchedFiles patched) {
    this.base = base;
    this.cursor = cursor;
    this.fields = fields;
    this.wire = patched.model();
    this.files = patched.data();
  }

  /** The files that edits of tensors change. */
  record PatchedFiles(WirePatch model, DataFiles data) {}

  /** New values of the same type and shape. */
  void replaceValues(StoredTensor tensor, TensorContent content) {
    if (tensor.bytes() == 0) {
      return;
    }
    switch (tensor.storage()) {
      case EXTERNAL -> {
        TensorSource source = tensor.source().orElseThrow();
        files.patch(source.file()).replace(source, content);
      }
      case EMBEDDED -> {
        TensorSource source = tensor.source().orElseThrow();
        FieldRange range = new FieldRange(source.offset(), source.end());
        wire.replace(tensor.span(), range, Piece.of(content));
      }
      case TYPED -> substitute(tensor.span(), payload(tensor), rawData(content));
    }
  }

  /** Carries out those edits that are about tensors; the data files have their names. */
  void apply(List<GraphEdit> edits) {
    for (GraphEdit edit : edits) {
      switch (edit) {
        case AddInitializer(NewTensor tensor, Keeping keeping) -> add(tensor, keeping);
        case RemoveInitializer(StoredTensor tensor) ->
            wire.replace(tensor.span().parent().orElseThrow(), fields.whole(tensor.span()));
        case ReplaceTensor(StoredTensor tensor, NewTensor by) -> rewrite(tensor, by);
        default -> {}
      }
    }
  }

  private void add(NewTensor tensor, Keeping keeping) {
    WireBytes head =
        dims(tensor).number(DATA_TYPE, tensor.dtype().onnxCode()).string(NAME, tensor.name());
    Optional<Path> file = files.first();
    boolean isSmall = tensor.content().lengthBytes() < ModelScanner.ELIDED_FROM;
    if (keeping == Keeping.EMBEDDED || isSmall || file.isEmpty()) {
      addMessage(head, rawData(tensor.content()));
      return;
    }
    addMessage(
        head, Piece.Literal.of(place(file.get(), tensor).number(DATA_LOCATION, 1).toByteArray()));
  }

  private void addMessage(WireBytes head, Piece... rest) {
    Piece first = Piece.Literal.of(head.toByteArray());
    long length = first.lengthBytes();
    for (Piece piece : rest) {
      length += piece.lengthBytes();
    }
    List<Piece> pieces = new ArrayList<>();
    pieces.add(Piece.Literal.of(WireBytes.header(GRAPH_INITIALIZER, length)));
    pieces.add(first);
    pieces.addAll(List.of(rest));
    MessageSpan graph = base.graph().span();
    wire.replace(graph, FieldRange.endOf(graph), pieces.toArray(Piece[]::new));
  }

  private void rewrite(StoredTensor tensor, NewTensor by) {
    MessageSpan span = tensor.span();
    List<FieldRange> dims =
        FieldRange.tagged(
            cursor,
            span,
            tag ->
                tag == ((DIMS << 3) | WireCursor.VARINT)
                    || tag == ((DIMS << 3) | WireCursor.BYTES));
    substitute(span, dims, Piece.Literal.of(dims(by).toByteArray()));
    int code = by.dtype().onnxCode();
    if (tensor.proto().getDataType() != code) {
      List<FieldRange> types =
          FieldRange.tagged(cursor, span, tag -> tag == ((DATA_TYPE << 3) | WireCursor.VARINT));
      byte[] type = new WireBytes().number(DATA_TYPE, code).toByteArray();
      substitute(span, types, Piece.Literal.of(type));
    }
    if (tensor.storage() != Storage.EXTERNAL) {
      substitute(span, payload(tensor), rawData(by.content()));
      return;
    }
    Path file = tensor.source().orElseThrow().file();
    List<FieldRange> entries = FieldRange.find(cursor, span, EXTERNAL_DATA);
    List<FieldRange> places = new ArrayList<>();
    for (int i = 0; i < entries.size(); i++) {
      if (PLACE.contains(tensor.proto().getExternalData(i).getKey())) {
        places.add(entries.get(i));
      }
    }
    substitute(span, places, Piece.Literal.of(place(file, by).toByteArray()));
  }

  /** Writes the location of external data into every tensor whose file gets another name. */
  void renameLocations(EditLog log) {
    for (StoredTensor tensor : base.tensors()) {
      if (tensor.storage() != Storage.EXTERNAL || log.isGone(tensor.span())) {
        continue;
      }
      String name = files.name(tensor.source().orElseThrow().file());
      for (int i = 0; i < tensor.proto().getExternalDataCount(); i++) {
        StringStringEntryProto entry = tensor.proto().getExternalData(i);
        if (entry.getKey().equals("location") && !entry.getValue().equals(name)) {
          renameLocation(tensor, i, name);
        }
      }
    }
  }

  private void renameLocation(StoredTensor tensor, int entryIndex, String renamed) {
    MessageSpan span = tensor.span();
    cursor.seek(FieldRange.find(cursor, span, EXTERNAL_DATA).get(entryIndex).start());
    cursor.tag(span.bodyEnd());
    MessageSpan.FieldPlace place = new MessageSpan.FieldPlace(EXTERNAL_DATA, entryIndex);
    MessageSpan entry = MessageSpan.read(cursor, span, place);
    // Of a repeated field protobuf takes the last.
    FieldRange value = FieldRange.find(cursor, entry, 2).getLast();
    byte[] field = new WireBytes().string(2, renamed).toByteArray();
    wire.replace(entry, value, Piece.Literal.of(field));
  }

  /** Puts new pieces where the first of some fields stands, and takes the others out. */
  private void substitute(MessageSpan span, List<FieldRange> old, Piece... pieces) {
    if (old.isEmpty()) {
      wire.replace(span, new FieldRange(span.bodyStart(), span.bodyStart()), pieces);
      return;
    }
    wire.replace(span, old.getFirst(), pieces);
    old.subList(1, old.size()).forEach(rest -> wire.replace(span, rest));
  }

  private List<FieldRange> payload(StoredTensor tensor) {
    ScanBudget budget = new ScanBudget(base.path(), Runtime.getRuntime().maxMemory());
    return PayloadWalk.of(cursor, tensor.span(), budget).ranges();
  }

  /** Appends the values to a data file; the entries that say where they lie. */
  private WireBytes place(Path file, NewTensor tensor) {
    long offset = files.patch(file).append(tensor.content());
    return new WireBytes()
        .bytes(EXTERNAL_DATA, entry("location", files.name(file)))
        .bytes(EXTERNAL_DATA, entry("offset", Long.toString(offset)))
        .bytes(EXTERNAL_DATA, entry("length", Long.toString(tensor.content().lengthBytes())));
  }

  private static WireBytes dims(NewTensor tensor) {
    WireBytes dims = new WireBytes();
    for (long dim : tensor.shape().toArray()) {
      dims.number(DIMS, dim);
    }
    return dims;
  }

  private static Piece[] rawData(TensorContent content) {
    return new Piece[] {
      Piece.Literal.of(WireBytes.header(RAW_DATA, content.lengthBytes())), Piece.of(content)
    };
  }

  private static byte[] entry(String key, String value) {
    return new WireBytes().string(1, key).string(2, value).toByteArray();
  }
}
