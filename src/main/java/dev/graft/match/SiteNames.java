package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.graph.Value;
import dev.graft.onnx.proto.StringStringEntryProto;
import dev.graft.onnx.proto.ValueInfoProto;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** Collects the names that a site may have, from its weight and from its node. */
final class SiteNames {

  private static final String FOLDED_FROM = "pkg.onnxscript.optimizer.folded_from";
  private static final String NAME_SCOPES = "pkg.torch.onnx.name_scopes";
  private static final Pattern GENAI_ATTENTION =
      Pattern.compile("(^|\\.)(layers\\.\\d+)\\.attn\\.");
  private static final List<String> WEIGHT_ENDINGS =
      List.of(
          ".MatMul.weight_Q4",
          ".MatMul.weight_Q8",
          ".MatMul.weight_Q4G32",
          ".MatMul.weight_DQ_Q4",
          ".MatMul.weight",
          ".weight_quantized",
          ".weight");

  private SiteNames() {}

  static List<SiteName> of(GraphNode node, WeightPath path) {
    List<SiteName> names = new ArrayList<>();
    for (Value value : path.values()) {
      module(value.name()).ifPresent(m -> add(names, m, NameRule.INITIALIZER));
    }
    for (Value value : path.values()) {
      value
          .scope()
          .valueInfo(value.name())
          .flatMap(SiteNames::foldedFrom)
          .ifPresent(m -> add(names, m, NameRule.FOLDED_FROM));
    }
    node.metadata(NAME_SCOPES)
        .flatMap(SiteNames::scope)
        .ifPresent(m -> add(names, m, NameRule.NAME_SCOPE));
    nodePath(node.part().proto().getName()).ifPresent(m -> add(names, m, NameRule.NODE_PATH));
    for (SiteName name : List.copyOf(names)) {
      String renamed = GENAI_ATTENTION.matcher(name.module()).replaceAll("$1$2.self_attn.");
      if (!renamed.equals(name.module())) {
        add(names, renamed, NameRule.GENAI);
      }
    }
    return List.copyOf(names);
  }

  /** The module that a node says it belongs to. */
  static Optional<String> ownName(GraphNode node) {
    return node.metadata(NAME_SCOPES)
        .flatMap(SiteNames::scope)
        .or(() -> nodePath(node.part().proto().getName()));
  }

  /** The module whose weight has this name. */
  private static Optional<String> module(String parameter) {
    for (String ending : WEIGHT_ENDINGS) {
      if (parameter.length() > ending.length() && parameter.endsWith(ending)) {
        return Optional.of(parameter.substring(0, parameter.length() - ending.length()));
      }
    }
    return Optional.empty();
  }

  private static Optional<String> foldedFrom(ValueInfoProto info) {
    for (StringStringEntryProto entry : info.getMetadataPropsList()) {
      if (entry.getKey().equals(FOLDED_FROM)) {
        List<String> modules =
            PythonList.parse(entry.getValue()).stream().flatMap(n -> module(n).stream()).toList();
        return modules.size() == 1 ? Optional.of(modules.getFirst()) : Optional.empty();
      }
    }
    return Optional.empty();
  }

  /** The last entry but one names the module, the last the call. */
  private static Optional<String> scope(String literal) {
    List<String> scopes = PythonList.parse(literal);
    return scopes.size() < 2
        ? Optional.empty()
        : Optional.of(scopes.get(scopes.size() - 2)).filter(s -> !s.isEmpty());
  }

  private static Optional<String> nodePath(String name) {
    int last = name.lastIndexOf('/');
    if (!name.startsWith("/") || last < 2) {
      return Optional.empty();
    }
    return Optional.of(name.substring(1, last).replace('/', '.'));
  }

  private static void add(List<SiteName> names, String module, NameRule rule) {
    if (names.stream().noneMatch(n -> n.module().equals(module) && n.rule() == rule)) {
      names.add(new SiteName(module, rule));
    }
  }
}
