package dev.graft.match;

import dev.graft.tensor.DType;
import dev.graft.testing.Adapters;
import dev.graft.testing.Graphs;
import dev.graft.testing.Node;
import dev.graft.testing.Values;
import java.util.List;

/** Models with a token table and a layer over the vocabulary, as exporters write them. */
final class TiedTables {

  static final int V = 7;
  static final int D = 4;
  static final Values TABLE = Values.random(5, V, D);
  static final Values ROWS = Values.random(6, 2, D);

  private TiedTables() {}

  /** How the two halves share the table. */
  enum Form {
    /** TorchScript: the tie is broken, the head has a turned copy. */
    APART,
    /** optimum: the head reads the table through a Transpose. */
    HEAD_BEHIND_TRANSPOSE,
    /** ONNX Runtime GenAI: the table is the head's weight behind a Transpose. */
    TABLE_BEHIND_TRANSPOSE,
    /** dynamo: both read one initializer. */
    ONE_INITIALIZER,
    /** Two initializers on the same bytes of a data file. */
    ONE_RANGE;

    boolean isApart() {
      return this == APART;
    }
  }

  static Graphs graph(Form form) {
    Graphs graphs =
        Graphs.create()
            .input(DType.INT64, "ids", V)
            .input("x", -1, D)
            .output("e", V, D)
            .output("logits", -1, V);
    return switch (form) {
      case APART ->
          nodes(graphs.weight("t", TABLE).weight("h", TABLE.transposed()), "t", matMul("h"));
      case HEAD_BEHIND_TRANSPOSE ->
          nodes(
              graphs
                  .weight("t", TABLE)
                  .node(Node.of("Transpose", "t").to("tt").with("perm", List.of(1L, 0L))),
              "t",
              matMul("tt"));
      case TABLE_BEHIND_TRANSPOSE ->
          nodes(
              graphs
                  .weight("h", TABLE.transposed())
                  .node(Node.of("Transpose", "h").to("ht").with("perm", List.of(1L, 0L))),
              "ht",
              matMul("h"));
      case ONE_INITIALIZER -> nodes(graphs.weight("t", TABLE), "t", gemm("t"));
      case ONE_RANGE ->
          nodes(
              graphs.external("t", TABLE, "weights.bin").external("h", TABLE, "weights.bin", 0),
              "t",
              gemm("h"));
    };
  }

  private static Node matMul(String weight) {
    return Node.of("MatMul", "x", weight).to("logits").named("/lm_head/MatMul");
  }

  private static Node gemm(String weight) {
    return Node.of("Gemm", "x", weight).to("logits").named("/lm_head/Gemm").with("transB", 1);
  }

  private static Graphs nodes(Graphs graphs, String table, Node head) {
    return graphs
        .node(Node.of("Gather", table, "ids").to("e").named("/embed_tokens/Gather"))
        .node(head);
  }

  /** A pair on the table. */
  static Adapters embedding(Adapters adapter) {
    return adapter
        .tensor("embed_tokens.lora_embedding_A", a())
        .tensor("embed_tokens.lora_embedding_B", b());
  }

  static Values a() {
    return Values.random(31, Adapters.RANK, V);
  }

  static Values b() {
    return Values.random(32, D, Adapters.RANK);
  }

  /** Rows 2 and 5 of a module. */
  static Adapters rows(Adapters adapter, String module) {
    return adapter
        .tensor(module + ".token_adapter.trainable_tokens_delta", ROWS)
        .config("trainable_token_indices", "{\"" + module + "\": [2, 5]}");
  }
}
