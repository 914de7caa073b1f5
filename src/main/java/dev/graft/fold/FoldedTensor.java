package dev.graft.fold;

import dev.graft.onnx.StoredTensor;
import dev.graft.onnx.TensorContent;
import java.util.Optional;

/**
 * A tensor with new values, and what its bytes hash to before and after, once it has been written.
 */
final class FoldedTensor implements TensorContent {

  private final String target;
  private final StoredTensor base;
  private final Change change;
  private final Optional<String> copyName;
  private volatile Optional<Hashes> hashes = Optional.empty();

  /** SHA-256 of the stored bytes, and of those written. */
  record Hashes(String before, String after) {}

  /**
   * Plans new values.
   *
   * @param target the adapter's name for what changes
   * @param base the stored tensor
   * @param change what happens to it
   * @param copyName the name of the copy that takes the new values, if the stored tensor keeps its
   *     own
   */
  FoldedTensor(String target, StoredTensor base, Change change, Optional<String> copyName) {
    this.target = target;
    this.copyName = copyName;
    this.base = base;
    this.change = change;
  }

  /** The adapter's name for what changes. */
  String target() {
    return target;
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

  Change change() {
    return change;
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
        () -> new IllegalStateException(target + " has not been written yet"));
  }
}
