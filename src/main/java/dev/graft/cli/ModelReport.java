package dev.graft.cli;

import dev.graft.fold.Provenance;
import dev.graft.graph.GraphNode;
import dev.graft.graph.ModelGraph;
import dev.graft.match.Site;
import dev.graft.match.SiteIndex;
import dev.graft.match.SiteParts;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.StoredTensor;
import dev.graft.onnx.proto.OperatorSetIdProto;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;

/**
 * What a model file holds.
 *
 * @param file the model file
 * @param dataFiles its external data
 * @param origin format and maker
 * @param nodes nodes of the graph, its subgraphs and functions
 * @param initializers initializers of the main graph
 * @param tensors all stored tensors by element type
 * @param functions model-local functions
 * @param quantised how often each operator on quantised values stands in it
 * @param merged adapters that were folded in before, oldest first
 * @param sites where weights act, in the graph's order
 */
record ModelReport(
    FileEntry file,
    List<FileEntry> dataFiles,
    Origin origin,
    int nodes,
    int initializers,
    List<TypeEntry> tensors,
    List<String> functions,
    Map<String, Integer> quantised,
    List<Provenance> merged,
    List<SiteEntry> sites) {

  /**
   * Who wrote the file in which format.
   *
   * @param producer name and version of the exporter
   * @param irVersion version of the file format
   * @param opsets version by operator domain
   */
  record Origin(String producer, long irVersion, SequencedMap<String, Long> opsets) {
    static Origin of(OnnxModel model) {
      SequencedMap<String, Long> opsets = new TreeMap<>();
      for (OperatorSetIdProto opset : model.proto().getOpsetImportList()) {
        opsets.put(opset.getDomain().isEmpty() ? "ai.onnx" : opset.getDomain(), opset.getVersion());
      }
      String producer = model.proto().getProducerName() + " " + model.proto().getProducerVersion();
      return new Origin(producer.strip(), model.proto().getIrVersion(), opsets);
    }
  }

  /**
   * The tensors of one element type.
   *
   * @param dtype the type
   * @param tensors how many
   * @param elements their elements together
   * @param bytes their bytes together
   */
  record TypeEntry(String dtype, long tensors, long elements, long bytes) {
    static List<TypeEntry> all(OnnxModel model) {
      Map<String, TypeEntry> byType = new TreeMap<>();
      for (StoredTensor tensor : model.tensors()) {
        byType.merge(typeOf(tensor), of(tensor), TypeEntry::plus);
      }
      return byType.values().stream()
          .sorted(Comparator.comparingLong(TypeEntry::elements).reversed())
          .toList();
    }

    private static TypeEntry of(StoredTensor tensor) {
      long bytes = tensor.knownType().isPresent() ? tensor.bytes() : 0;
      return new TypeEntry(typeOf(tensor), 1, tensor.shape().elements(), bytes);
    }

    private TypeEntry plus(TypeEntry other) {
      return new TypeEntry(
          dtype, tensors + other.tensors, elements + other.elements, bytes + other.bytes);
    }
  }

  /**
   * A place where a weight acts.
   *
   * @param node the operator's node
   * @param operator the operator
   * @param kind what it does with the weight
   * @param names what it may be called, most trusted first
   * @param tensor the stored weight
   * @param parts the modules that the weight packs, as far as the graph says where they are
   */
  record SiteEntry(
      String node,
      String operator,
      String kind,
      List<NameEntry> names,
      TensorEntry tensor,
      List<PartEntry> parts) {
    static SiteEntry of(Site site, SiteParts parts) {
      return new SiteEntry(
          site.node().label(),
          site.node().operator(),
          site.kind().name().toLowerCase(Locale.ROOT),
          site.names().stream().map(n -> new NameEntry(n.module(), n.rule().label())).toList(),
          TensorEntry.of(site.tensor(), site.layout()),
          parts.of(site).stream().map(PartEntry::of).toList());
    }
  }

  /**
   * A module in a packed weight.
   *
   * @param name what it is: query, key, value, gate or up
   * @param from the first of its outputs, counted from 0
   * @param count how many it has
   */
  record PartEntry(String name, long from, long count) {
    static PartEntry of(SiteParts.Part part) {
      return new PartEntry(part.name(), part.outputs().from(), part.outputs().count());
    }

    @Override
    public String toString() {
      return name + " " + count;
    }
  }

  /**
   * A site's name.
   *
   * @param module the module path
   * @param rule where the name was found
   */
  record NameEntry(String module, String rule) {}

  static ModelReport of(SiteIndex index) {
    ModelGraph graph = index.graph();
    OnnxModel model = graph.model();
    SiteParts parts = new SiteParts(index);
    return new ModelReport(
        FileEntry.of(model.path()),
        model.dataFiles().values().stream().map(FileEntry::of).toList(),
        Origin.of(model),
        graph.nodes().size(),
        model.graph().initializers().size(),
        TypeEntry.all(model),
        model.functions().stream().map(f -> f.proto().getName()).toList(),
        quantised(graph),
        merged(model),
        index.sites().stream().map(site -> SiteEntry.of(site, parts)).toList());
  }

  /**
   * Looks before it asks for records: reading one takes the JSON library, which is slow to load.
   */
  private static List<Provenance> merged(OnnxModel model) {
    return model.metadata().containsKey(Provenance.KEY + 1) ? Provenance.of(model) : List.of();
  }

  private static Map<String, Integer> quantised(ModelGraph graph) {
    Map<String, Integer> counts = new TreeMap<>();
    for (GraphNode node : graph.nodes()) {
      if (isQuantised(node.part().proto().getOpType())) {
        counts.merge(node.operator(), 1, Integer::sum);
      }
    }
    return counts;
  }

  private static boolean isQuantised(String operator) {
    return operator.contains("Quantize")
        || operator.startsWith("QLinear")
        || operator.startsWith("MatMulInteger")
        || operator.equals("ConvInteger")
        || operator.equals("MatMulNBits")
        || operator.equals("MatMulBnb4")
        || operator.equals("MatMulFpQ4")
        || operator.equals("QAttention")
        || operator.equals("QGemm")
        || operator.equals("QMoE");
  }

  private static String typeOf(StoredTensor tensor) {
    return TensorEntry.typeOf(tensor);
  }
}
