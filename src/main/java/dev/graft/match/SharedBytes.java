package dev.graft.match;

import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.StoredTensor;
import dev.graft.tensor.TensorSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Which tensors of a model lie on the same bytes of a data file. */
final class SharedBytes {

  private final IdentityHashMap<StoredTensor, List<StoredTensor>> twins = new IdentityHashMap<>();
  private final Set<StoredTensor> overlapping = Collections.newSetFromMap(new IdentityHashMap<>());

  SharedBytes(OnnxModel model) {
    Map<TensorSource, List<StoredTensor>> bySource = new HashMap<>();
    for (StoredTensor tensor : model.tensors()) {
      if (tensor.storage() == StoredTensor.Storage.EXTERNAL && source(tensor).length() > 0) {
        bySource.computeIfAbsent(source(tensor), s -> new ArrayList<>()).add(tensor);
      }
    }
    bySource.values().forEach(this::addSame);
    addOverlaps(bySource);
  }

  /**
   * The tensors that are the same bytes seen the same way, itself included: to change one is to
   * change them all.
   */
  List<StoredTensor> twins(StoredTensor tensor) {
    return twins.getOrDefault(tensor, List.of(tensor));
  }

  /** Whether another tensor lies on some of the bytes in another way. */
  boolean overlaps(StoredTensor tensor) {
    return overlapping.contains(tensor);
  }

  private void addSame(List<StoredTensor> same) {
    StoredTensor first = same.getFirst();
    boolean alike =
        same.stream()
            .allMatch(t ->
                t.proto().getDataType() == first.proto().getDataType()
                    && t.shape().equals(first.shape()));
    if (alike) {
      same.forEach(t -> twins.put(t, List.copyOf(same)));
    } else {
      overlapping.addAll(same);
    }
  }

  private void addOverlaps(Map<TensorSource, List<StoredTensor>> bySource) {
    List<TensorSource> sources =
        bySource.keySet().stream()
            .sorted(
                Comparator.comparing(TensorSource::file).thenComparingLong(TensorSource::offset))
            .toList();
    TensorSource widest = null;
    Set<TensorSource> marked = new HashSet<>();
    for (TensorSource source : sources) {
      if (widest != null && widest.file().equals(source.file()) && source.offset() < widest.end()) {
        marked.add(widest);
        marked.add(source);
      }
      if (widest == null || !widest.file().equals(source.file()) || source.end() > widest.end()) {
        widest = source;
      }
    }
    marked.forEach(s -> overlapping.addAll(bySource.getOrDefault(s, List.of())));
  }

  private static TensorSource source(StoredTensor tensor) {
    return tensor.source().orElseThrow();
  }
}
