package dev.graft.onnx;

import dev.graft.error.UnsupportedException;
import dev.graft.tensor.TensorSource;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Set;

/**
 * Tensors that point at the same bytes of a data file. New values for one of them would silently be
 * new values for the other too.
 */
final class SharedBytes {

  private SharedBytes() {}

  /**
   * Makes sure that changing some tensors changes no other.
   *
   * @param model the model
   * @param changed external tensors that get new values
   * @throws UnsupportedException if one of them shares bytes with any other tensor
   */
  static void requireNone(OnnxModel model, Set<StoredTensor> changed) {
    List<Path> files = changed.stream().map(t -> source(t).file()).distinct().toList();
    for (Path file : files) {
      List<StoredTensor> tensors =
          model.tensors().stream()
              .filter(t -> t.storage() == StoredTensor.Storage.EXTERNAL)
              .filter(t -> source(t).file().equals(file) && source(t).length() > 0)
              .sorted(Comparator.comparingLong(t -> source(t).offset()))
              .toList();
      requireNone(model, tensors, changed);
    }
  }

  /**
   * Compares each tensor with the one before it that reaches furthest. If a changed tensor overlaps
   * any, then either that one is it, or it overlaps the changed one as well and was found before.
   */
  private static void requireNone(
      OnnxModel model, List<StoredTensor> byOffset, Set<StoredTensor> changed) {
    StoredTensor furthest = byOffset.getFirst();
    for (StoredTensor tensor : byOffset.subList(1, byOffset.size())) {
      boolean overlap = source(tensor).offset() < source(furthest).end();
      if (overlap && (changed.contains(tensor) || changed.contains(furthest))) {
        throw new UnsupportedException(
            "%s: tensors '%s' and '%s' share bytes of %s from offset %d on, so one cannot change without the other. Load and save the model once with the onnx package: it writes each tensor apart"
                .formatted(
                    model.path(),
                    furthest.label(),
                    tensor.label(),
                    source(tensor).file(),
                    source(tensor).offset()));
      }
      furthest = source(tensor).end() > source(furthest).end() ? tensor : furthest;
    }
  }

  private static TensorSource source(StoredTensor tensor) {
    return tensor.source().orElseThrow();
  }
}
