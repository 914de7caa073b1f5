package dev.graft.adapter;

import dev.graft.safetensors.SafetensorsTensor;
import java.util.List;

/**
 * Rows of an embedding that take the place of the base model's ({@code trainable_token_indices}).
 *
 * @param module the embedding's full name
 * @param rows the new rows, [indices, width]
 * @param indices the row of the table that each replaces, distinct and not negative
 */
public record TokenRows(String module, SafetensorsTensor rows, List<Long> indices)
    implements AdapterTarget {

  /** Copies the indices. */
  public TokenRows {
    indices = List.copyOf(indices);
  }

  @Override
  public String target() {
    return module;
  }

  @Override
  public List<SafetensorsTensor> tensors() {
    return List.of(rows);
  }
}
