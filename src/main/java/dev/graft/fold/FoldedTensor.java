package dev.graft.fold;

import dev.graft.onnx.StoredTensor;
import dev.graft.onnx.TensorContent;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A tensor with new values, and what its bytes hash to before and after, once it has been written.
 */
final class FoldedTensor implements TensorContent {

  private final StoredTensor base;
  private final List<Part> parts;
  private final Optional<String> copyName;
  private volatile Optional<Hashes> hashes = Optional.empty();

  /** SHA-256 of the stored bytes, and of those written. */
  record Hashes(String before, String after) {}

  /**
   * What one target of the adapter does to the tensor.
   *
   * @param target the adapter's name for it
   * @param change what happens
   * @param region where; the regions of a tensor's parts do not overlap, unless all of them are the
   *     whole tensor: then one part begins with what the part before it left
   */
  record Part(String target, Change change, Region region) {}

  /**
   * Plans new values.
   *
   * @param base the stored tensor
   * @param parts what happens to it
   * @param copyName the name of the copy that takes the new values, if the stored tensor keeps its
   *     own
   */
  FoldedTensor(StoredTensor base, List<Part> parts, Optional<String> copyName) {
    this.base = base;
    this.parts = List.copyOf(parts);
    this.copyName = copyName;
  }

  /** The adapter's names for what changes, as messages have them. */
  String targets() {
    return parts.stream().map(Part::target).collect(Collectors.joining(", "));
  }

  /** The tensor's name in the output. */
  String outputName() {
    return copyName.orElse(base.label());
  }

  Optional<String> copyName() {
    return copyName;
  }

  StoredTensor base() {
    return base;
  }

  List<Part> parts() {
    return parts;
  }

  @Override
  public long lengthBytes() {
    return base.bytes();
  }

  void done(Hashes found) {
    hashes = Optional.of(found);
  }

  Hashes hashes() {
    return hashes.orElseThrow(
        () -> new IllegalStateException(targets() + " has not been written yet"));
  }
}
