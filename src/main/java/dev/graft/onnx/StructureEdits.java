package dev.graft.onnx;

import dev.graft.onnx.DeclaredValues.Entry;
import dev.graft.onnx.GraphEdit.AddFunctionInput;
import dev.graft.onnx.GraphEdit.Declaration;
import dev.graft.onnx.GraphEdit.ImportInFunction;
import dev.graft.onnx.GraphEdit.ImportOperators;
import dev.graft.onnx.proto.OperatorSetIdProto;
import dev.graft.onnx.proto.ValueInfoProto;
import java.util.List;

/** Turns edits of what a model declares around its nodes into edits of bytes. */
final class StructureEdits {

  private static final int MODEL_IMPORT = 8;
  private static final int FUNCTION_INPUT = 4;
  private static final int FUNCTION_IMPORT = 9;

  private final OnnxModel base;
  private final FieldIndex fields;
  private final WirePatch wire;

  StructureEdits(OnnxModel base, FieldIndex fields, WirePatch wire) {
    this.base = base;
    this.fields = fields;
    this.wire = wire;
  }

  /** Carries out those edits that are about imports, declared values and functions' inputs. */
  void apply(EditLog log) {
    for (Declaration list : Declaration.values()) {
      declare(list, log.values().entries(list));
    }
    for (GraphEdit edit : log.edits()) {
      switch (edit) {
        case ImportOperators(String domain, long version) ->
            append(base.root(), MODEL_IMPORT, operatorSet(domain, version));
        case ImportInFunction(FunctionPart function, String domain, long version) ->
            append(function.span(), FUNCTION_IMPORT, operatorSet(domain, version));
        case AddFunctionInput(FunctionPart function, String name) -> {
          byte[] field = new WireBytes().string(FUNCTION_INPUT, name).toByteArray();
          wire.replace(
              function.span(),
              fields.behind(function.span(), FUNCTION_INPUT),
              Piece.Literal.of(field));
        }
        default -> {}
      }
    }
  }

  private void declare(Declaration list, List<Entry> entries) {
    MessageSpan graph = base.graph().span();
    for (int i = 0; i < entries.size(); i++) {
      Entry entry = entries.get(i);
      if (!entry.isChanged()) {
        continue;
      }
      if (entry.before().isEmpty()) {
        entry.now().ifPresent(v -> append(graph, list.field(), v.toByteArray()));
        continue;
      }
      Piece[] pieces = entry.now().map(v -> field(list.field(), v)).stream().toArray(Piece[]::new);
      wire.replace(graph, fields.of(graph, list.field()).get(i), pieces);
    }
  }

  private void append(MessageSpan within, int field, byte[] message) {
    byte[] bytes = new WireBytes().bytes(field, message).toByteArray();
    wire.replace(within, fields.behind(within, field), Piece.Literal.of(bytes));
  }

  private static Piece field(int field, ValueInfoProto value) {
    return Piece.Literal.of(new WireBytes().bytes(field, value.toByteArray()).toByteArray());
  }

  private static byte[] operatorSet(String domain, long version) {
    return OperatorSetIdProto.newBuilder()
        .setDomain(domain)
        .setVersion(version)
        .build()
        .toByteArray();
  }
}
