package dev.graft.autodiff;

import dev.graft.error.FormatException;
import dev.graft.onnx.proto.AttributeProto;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.NodeProto;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;

/** Puts nodes in an order in which they can run, the given one as far as it is right. */
final class Order {

  private Order() {}

  /**
   * Sorts.
   *
   * @throws FormatException if the nodes form a cycle
   */
  static List<NodeProto> of(List<NodeProto> nodes) {
    Map<String, Integer> producers = new HashMap<>();
    for (int i = 0; i < nodes.size(); i++) {
      for (String output : nodes.get(i).getOutputList()) {
        producers.put(output, i);
      }
    }
    List<List<Integer>> readers = new ArrayList<>();
    int[] open = new int[nodes.size()];
    nodes.forEach(n -> readers.add(new ArrayList<>()));
    for (int i = 0; i < nodes.size(); i++) {
      for (String input : reads(nodes.get(i))) {
        Integer producer = input.isEmpty() ? null : producers.get(input);
        if (producer != null) {
          readers.get(producer).add(i);
          open[i]++;
        }
      }
    }
    return sorted(nodes, readers, open);
  }

  private static List<NodeProto> sorted(
      List<NodeProto> nodes, List<List<Integer>> readers, int[] open) {
    PriorityQueue<Integer> ready = new PriorityQueue<>();
    for (int i = 0; i < open.length; i++) {
      if (open[i] == 0) {
        ready.add(i);
      }
    }
    List<NodeProto> sorted = new ArrayList<>();
    while (!ready.isEmpty()) {
      int next = ready.remove();
      sorted.add(nodes.get(next));
      for (int reader : readers.get(next)) {
        if (--open[reader] == 0) {
          ready.add(reader);
        }
      }
    }
    if (sorted.size() < nodes.size()) {
      throw new FormatException(
          "%d nodes of the graph read each other in a circle, among them %s; the model is damaged"
              .formatted(nodes.size() - sorted.size(), firstStuck(nodes, open)));
    }
    return sorted;
  }

  private static String firstStuck(List<NodeProto> nodes, int[] open) {
    for (int i = 0; i < open.length; i++) {
      if (open[i] > 0) {
        return Places.describe(nodes.get(i));
      }
    }
    return "none";
  }

  /** The values that a node reads, those that its subgraphs read of the graph around included. */
  static Set<String> reads(NodeProto node) {
    Set<String> reads = new LinkedHashSet<>(node.getInputList());
    for (AttributeProto attribute : node.getAttributeList()) {
      if (attribute.hasG()) {
        reads.addAll(captured(attribute.getG()));
      }
      attribute.getGraphsList().forEach(graph -> reads.addAll(captured(graph)));
    }
    return reads;
  }

  private static Set<String> captured(GraphProto graph) {
    Set<String> reads = new LinkedHashSet<>();
    Set<String> own = new HashSet<>();
    graph.getInputList().forEach(i -> own.add(i.getName()));
    graph.getInitializerList().forEach(i -> own.add(i.getName()));
    for (NodeProto node : graph.getNodeList()) {
      reads.addAll(reads(node));
      own.addAll(node.getOutputList());
    }
    graph.getOutputList().forEach(o -> reads.add(o.getName()));
    reads.removeAll(own);
    return reads;
  }
}
