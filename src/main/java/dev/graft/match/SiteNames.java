package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.graph.ModelGraph;
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
  private static final Pattern FUSED = Pattern.compile("/[A-Za-z]+Fusion(_\\d+)?/?$");
  private static final List<String> WEIGHT_ENDINGS =
      List.of(
          ".MatMul.weight_Q4",
          ".MatMul.weight_Q8",
          ".MatMul.weight_Q4G32",
          ".MatMul.weight_DQ_Q4",
          ".MatMul.weight",
          ".weight_quantized",
          ".weight");

  private static final String IN_PROJECTION = ".in_proj_weight";

  /** Where PEFT wrapped a module, the module itself is a level below its name. */
  private static final Pattern BASE_LAYER = Pattern.compile("\\.base_layer(?=\\.|$)");

  private final ModelGraph graph;
  private final AttentionNames attentions;

  SiteNames(ModelGraph graph) {
    this.graph = graph;
    this.attentions = new AttentionNames(graph, this::ofNode);
  }

  /** Every name of a site, most trusted first. */
  List<SiteName> of(WeightPath path) {
    List<SiteName> names = new ArrayList<>(ofWeight(path));
    names.addAll(ofNode(path.reading()));
    if (names.isEmpty() || AttentionOps.projects(path.reading().node())) {
      names.addAll(attentions.of(path.reading().node()));
    }
    for (SiteName name : List.copyOf(names)) {
      String plain = BASE_LAYER.matcher(name.module()).replaceAll("");
      if (!plain.equals(name.module())) {
        names.add(new SiteName(plain, name.rule()));
      }
    }
    for (SiteName name : List.copyOf(names)) {
      genai(name).ifPresent(names::add);
    }
    return names.stream().distinct().toList();
  }

  /**
   * The modules that a reading's operator says it belongs to. Where the weight is handed into a
   * function that is called often, only the call can know.
   */
  List<SiteName> ofNode(Reading reading) {
    List<GraphNode> nodes = new ArrayList<>();
    nodes.add(reading.node());
    nodes.addAll(reading.calls());
    List<SiteName> names = new ArrayList<>();
    for (int i = 0; i < nodes.size(); i++) {
      if (i + 1 == nodes.size() || graph.calls(nodes.get(i + 1).callee()).size() == 1) {
        names.addAll(ofNode(nodes.get(i)));
      }
    }
    for (SiteName name : List.copyOf(names)) {
      genai(name).ifPresent(names::add);
    }
    return names;
  }

  private static List<SiteName> ofNode(GraphNode node) {
    List<SiteName> names = new ArrayList<>();
    node.metadata(NAME_SCOPES)
        .flatMap(SiteNames::scope)
        .ifPresent(m -> names.add(new SiteName(m, NameRule.NAME_SCOPE)));
    nodePath(node.part().proto().getName())
        .ifPresent(m -> names.add(new SiteName(m, NameRule.NODE_PATH)));
    return names;
  }

  /** The name that PyTorch has for what ONNX Runtime GenAI has renamed. */
  private static Optional<SiteName> genai(SiteName name) {
    String renamed = GENAI_ATTENTION.matcher(name.module()).replaceAll("$1$2.self_attn.");
    return renamed.equals(name.module())
        ? Optional.empty()
        : Optional.of(new SiteName(renamed, NameRule.GENAI));
  }

  /**
   * The names of the nearest value that has any. What lies behind it carries the name of another
   * module, whose equal weight the exporter kept for both. The names within a function that is
   * handed its weight are those of the function's inputs, not of modules.
   */
  private static List<SiteName> ofWeight(WeightPath path) {
    int outside = 0;
    for (int i = 1; i < path.hops().size(); i++) {
      if (!WeightTracer.isTransparent(path.hops().get(i).use().node())) {
        outside = i;
      }
    }
    for (Value value : path.values().subList(outside, path.values().size())) {
      List<SiteName> names = new ArrayList<>();
      module(value.name()).ifPresent(m -> names.add(new SiteName(m, NameRule.INITIALIZER)));
      origin(value)
          .flatMap(SiteNames::module)
          .ifPresent(m -> names.add(new SiteName(m, NameRule.FOLDED_FROM)));
      if (!names.isEmpty()) {
        return names;
      }
    }
    return List.of();
  }

  /** The module whose weight has this name. */
  private static Optional<String> module(String parameter) {
    if (parameter.endsWith(IN_PROJECTION)) {
      return Optional.of(parameter.substring(0, parameter.length() - "_weight".length()));
    }
    for (String ending : WEIGHT_ENDINGS) {
      if (parameter.length() > ending.length() && parameter.endsWith(ending)) {
        return Optional.of(parameter.substring(0, parameter.length() - ending.length()));
      }
    }
    return Optional.empty();
  }

  /** The parameter that dynamo says it made a value of. */
  static Optional<String> origin(Value value) {
    return value.scope().valueInfo(value.name()).flatMap(SiteNames::origin);
  }

  private static Optional<String> origin(ValueInfoProto info) {
    for (StringStringEntryProto entry : info.getMetadataPropsList()) {
      if (entry.getKey().equals(FOLDED_FROM)) {
        List<String> origins = PythonList.parse(entry.getValue());
        return origins.size() == 1 ? Optional.of(origins.getFirst()) : Optional.empty();
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

  private static Optional<String> nodePath(String nodeName) {
    // ONNX Runtime names what it fuses after the node that it replaces: /fc/MatMul/MatMulAddFusion.
    String name = FUSED.matcher(nodeName).replaceFirst("");
    int last = name.lastIndexOf('/');
    if (!name.startsWith("/") || last < 2) {
      return Optional.empty();
    }
    return Optional.of(name.substring(1, last).replace('/', '.'));
  }
}
