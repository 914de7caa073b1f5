package dev.graft.autodiff;

import dev.graft.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Operators that pick elements by index. */
final class IndexingShapes {

  private IndexingShapes() {}

  static void addTo(Map<String, ShapeRule> rules) {
    rules.put("Gather", IndexingShapes::gathered);
    rules.put(
        "GatherElements",
        node -> List.of(new Facts(node.facts(0).type(), node.facts(1).dims(), Optional.empty())));
    rules.put("GatherND", IndexingShapes::gatheredSlices);
    rules.put("Slice", IndexingShapes::sliced);
    rules.put("ArgMax", IndexingShapes::argument);
    rules.put("ArgMin", IndexingShapes::argument);
    rules.put("com.microsoft.EmbedLayerNormalization", IndexingShapes::embedded);
  }

  private static List<Facts> gathered(OpNode node) {
    Facts data = node.facts(0);
    Facts indices = node.facts(1);
    if (data.dims().isEmpty() || indices.dims().isEmpty()) {
      return List.of(Facts.unshaped(data.type()));
    }
    List<Dim> from = data.dims().get();
    int axis = node.axis(0, from.size());
    List<Dim> dims = new ArrayList<>(from.subList(0, axis));
    dims.addAll(indices.dims().get());
    dims.addAll(from.subList(axis + 1, from.size()));
    Facts result = Facts.of(data.type(), dims);
    return List.of(picked(data, indices).map(result::holding).orElse(result));
  }

  private static Optional<List<Dim>> picked(Facts data, Facts indices) {
    Optional<long[]> places = indices.numbers();
    if (data.content().isEmpty() || places.isEmpty() || data.dims().orElseThrow().size() != 1) {
      return Optional.empty();
    }
    List<Dim> elements = data.content().get();
    List<Dim> chosen = new ArrayList<>();
    for (long place : places.get()) {
      long from = place < 0 ? place + elements.size() : place;
      if (from < 0 || from >= elements.size()) {
        return Optional.empty();
      }
      chosen.add(elements.get((int) from));
    }
    return Optional.of(chosen);
  }

  private static List<Facts> gatheredSlices(OpNode node) {
    Facts data = node.facts(0);
    Facts indices = node.facts(1);
    Optional<Dim> depth = indices.dim(-1).filter(Dim::isConstant);
    if (data.dims().isEmpty() || depth.isEmpty()) {
      return List.of(Facts.unshaped(data.type()));
    }
    List<Dim> index = indices.dims().orElseThrow();
    List<Dim> dims = new ArrayList<>(index.subList(0, index.size() - 1));
    int used = Math.toIntExact(node.intAttribute("batch_dims", 0) + depth.get().value());
    dims.addAll(data.dims().get().subList(used, data.dims().get().size()));
    return List.of(Facts.of(data.type(), dims));
  }

  private static List<Facts> sliced(OpNode node) {
    Facts x = node.facts(0);
    if (x.dims().isEmpty()) {
      return List.of(Facts.unshaped(x.type()));
    }
    List<Dim> dims = new ArrayList<>(x.dims().get());
    Optional<List<Cut>> cuts = Cut.of(node);
    if (cuts.isEmpty()) {
      for (int i = 0; i < dims.size(); i++) {
        dims.set(i, Dim.named("?%s.%d".formatted(node.proto().getOutput(0), i)));
      }
      return List.of(Facts.of(x.type(), dims));
    }
    for (Cut cut : cuts.get()) {
      String name = "?%s.%d".formatted(node.proto().getOutput(0), cut.axis());
      dims.set(cut.axis(), cut.length(dims.get(cut.axis())).orElse(Dim.named(name)));
    }
    Facts result = Facts.of(x.type(), dims);
    return List.of(
        x.content()
            .filter(c -> dims.size() == 1)
            .flatMap(c -> cuts.get().getFirst().of(c))
            .map(result::holding)
            .orElse(result));
  }

  private static List<Facts> argument(OpNode node) {
    Facts x = node.facts(0);
    if (x.dims().isEmpty()) {
      return List.of(Facts.unshaped(Optional.of(DType.INT64)));
    }
    List<Dim> dims = new ArrayList<>(x.dims().get());
    int axis = node.axis(0, dims.size());
    if (node.intAttribute("keepdims", 1) != 0) {
      dims.set(axis, Dim.ONE);
    } else {
      dims.remove(axis);
    }
    return List.of(Facts.of(DType.INT64, dims));
  }

  private static List<Facts> embedded(OpNode node) {
    Facts table = node.facts(2);
    if (node.facts(0).dims().isEmpty() || table.dim(1).isEmpty()) {
      return List.of(Facts.unshaped(table.type()));
    }
    List<Dim> dims = new ArrayList<>(node.facts(0).dims().get());
    dims.add(table.dim(1).get());
    Facts result = Facts.of(table.type(), dims);
    Facts lengths = Facts.of(DType.INT32, node.facts(0).dims().get().subList(0, 1));
    return List.of(result, lengths, result);
  }
}
