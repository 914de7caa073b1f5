package dev.graft.autodiff;

import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.StringStringEntryProto;
import java.util.List;

/** Says where in a model a node stands, for messages. */
final class Places {

  private static final String SCOPES = "pkg.torch.onnx.name_scopes";

  private Places() {}

  /** The operator, the node's name and, where the exporter tells it, its module. */
  static String describe(NodeProto node) {
    String name = node.getName().isEmpty() ? node.getOutput(0) : node.getName();
    String module = module(node);
    return "%s '%s'%s"
        .formatted(
            OpNode.operator(node), name, module.isEmpty() ? "" : " of module '" + module + "'");
  }

  /** PyTorch's module: the path of the node's name, or what the exporter noted beside it. */
  static String module(NodeProto node) {
    String name = node.getName();
    if (name.startsWith("/") && name.lastIndexOf('/') > 0) {
      return name.substring(1, name.lastIndexOf('/')).replace('/', '.');
    }
    return node.getMetadataPropsList().stream()
        .filter(entry -> entry.getKey().equals(SCOPES))
        .map(StringStringEntryProto::getValue)
        .map(Places::lastScope)
        .findFirst()
        .orElse("");
  }

  /** The last but one entry of a list of scopes: the last one is the call itself. */
  private static String lastScope(String scopes) {
    List<String> entries = List.of(scopes.replaceAll("[\\[\\]'\"]", "").split(",\\s*"));
    return entries.size() < 2 ? "" : entries.get(entries.size() - 2);
  }
}
