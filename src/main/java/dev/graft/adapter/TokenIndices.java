package dev.graft.adapter;

import dev.graft.safetensors.Json;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * The setting {@code trainable_token_indices}: one list for every embedding, or a list by module
 * name.
 */
final class TokenIndices {

  private static final long STEPS_PER_NAME = 8;

  private final StepBudget budget;
  private final Optional<Rows> common;
  private final List<String> names;
  private final Map<String, Json.Arr> lists = new HashMap<>();
  private final Map<String, Rows> known = new HashMap<>();

  /**
   * The rows of one table.
   *
   * @param indices which rows, in the order of the tensor
   * @param isSound whether none is negative or named twice
   */
  record Rows(List<Long> indices, boolean isSound) {

    static Rows of(Json.Arr list) {
      List<Long> indices =
          list.items().stream().map(i -> ((Json.Num) i).toLong().orElseThrow()).toList();
      boolean distinct = new HashSet<>(indices).size() == indices.size();
      return new Rows(indices, distinct && indices.stream().allMatch(i -> i >= 0));
    }
  }

  TokenIndices(AdapterConfig config, StepBudget budget) {
    this.budget = budget;
    Json value = config.value(ConfigField.TRAINABLE_TOKEN_INDICES).orElse(Json.Null.NULL);
    this.common = value instanceof Json.Arr list ? Optional.of(Rows.of(list)) : Optional.empty();
    if (value instanceof Json.Obj(SequencedMap<String, Json> byModule)) {
      this.names = List.copyOf(byModule.keySet());
      byModule.forEach((name, list) -> lists.put(name, (Json.Arr) list));
    } else {
      this.names = List.of();
    }
  }

  /** The rows for a module: those of the first name that its own ends with. */
  Optional<Rows> of(String module) {
    budget.spend(STEPS_PER_NAME * names.size(), ConfigField.TRAINABLE_TOKEN_INDICES);
    for (String name : names) {
      if (module.endsWith(name)) {
        return Optional.ofNullable(lists.get(name))
            .map(list -> known.computeIfAbsent(name, n -> Rows.of(list)));
      }
    }
    return common;
  }
}
