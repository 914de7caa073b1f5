package dev.graft.inject;

import dev.graft.error.UsageException;
import java.util.OptionalInt;

/**
 * How slots are made.
 *
 * @param name the adapter's name in the model
 * @param fixedRank the rank of all slots; empty lets each module's be what its adapter brings
 */
public record SlotSettings(AdapterName name, OptionalInt fixedRank) {

  /**
   * Checks the rank.
   *
   * @throws UsageException if it is not positive
   */
  public SlotSettings {
    if (fixedRank.isPresent() && fixedRank.getAsInt() < 1) {
      throw new UsageException("--max-r is " + fixedRank.getAsInt() + ", expected 1 or more");
    }
  }
}
