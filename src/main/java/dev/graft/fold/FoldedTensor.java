package dev.graft.fold;

import dev.graft.onnx.NewTensor;
import dev.graft.onnx.StoredTensor;
import dev.graft.onnx.TensorContent;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A tensor with new values, and what its bytes hash to before and after, once it has been written.
 * It takes a stored tensor's place, in the same shape or another, or is added to the graph: as a
 * copy of a stored one that others go on reading, or as one that the graph lacked.
 */
final class FoldedTensor implements TensorContent {

  private final Form form;
  private final Optional<StoredTensor> base;
  private final boolean added;
  private final List<Part> parts;
  private volatile Optional<Hashes> hashes = Optional.empty();

  /**
   * SHA-256 of the stored bytes, and of those written.
   *
   * @param before absent for a tensor that the base does not have
   * @param after of the new bytes
   */
  record Hashes(Optional<String> before, String after) {}

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
   * What the tensor is in the output.
   *
   * @param name its name, or how messages name it
   * @param dtype its element type
   * @param shape its dimensions
   */
  record Form(String name, DType dtype, Shape shape) {}

  private FoldedTensor(Form form, Optional<StoredTensor> base, boolean added, List<Part> parts) {
    this.form = form;
    this.base = base;
    this.added = added;
    this.parts = List.copyOf(parts);
  }

  /** New values for a stored tensor in its place, of the same shape or another. */
  static FoldedTensor inPlace(StoredTensor base, Shape shape, List<Part> parts) {
    Form form = new Form(base.label(), base.dtype(), shape);
    return new FoldedTensor(form, Optional.of(base), false, parts);
  }

  /** A copy of a stored tensor that takes the new values, while the stored one keeps its own. */
  static FoldedTensor copy(StoredTensor base, Form form, List<Part> parts) {
    return new FoldedTensor(form, Optional.of(base), true, parts);
  }

  /** A tensor that the base does not have; its old values count as zeros. */
  static FoldedTensor missing(Form form, List<Part> parts) {
    return new FoldedTensor(form, Optional.empty(), true, parts);
  }

  /** The adapter's names for what changes, as messages have them. */
  String targets() {
    return parts.stream().map(Part::target).distinct().collect(Collectors.joining(", "));
  }

  /** The tensor's name in the output. */
  String outputName() {
    return form.name();
  }

  /** The element type. */
  DType dtype() {
    return form.dtype();
  }

  /** The dimensions in the output. */
  Shape shape() {
    return form.shape();
  }

  /** Whether the tensor is one that the graph does not have yet. */
  boolean isAdded() {
    return added;
  }

  /** The stored tensor that it replaces or is a copy of. */
  Optional<StoredTensor> base() {
    return base;
  }

  /** The stored tensor whose values are changed; empty if nothing of them stays. */
  Optional<StoredTensor> start() {
    return base.filter(b -> b.shape().equals(form.shape()));
  }

  List<Part> parts() {
    return parts;
  }

  /** The tensor under a name, for a patch. */
  NewTensor as(String name) {
    return new NewTensor(name, form.dtype(), form.shape(), this);
  }

  @Override
  public long lengthBytes() {
    return form.dtype().bytes(form.shape().elements());
  }

  void done(Hashes found) {
    hashes = Optional.of(found);
  }

  Hashes hashes() {
    return hashes.orElseThrow(
        () -> new IllegalStateException(targets() + " has not been written yet"));
  }
}
