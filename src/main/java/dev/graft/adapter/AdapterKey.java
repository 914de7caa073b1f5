package dev.graft.adapter;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The key of a saved tensor taken apart.
 *
 * @param role what the tensor is
 * @param module the module (or for whole parameters the parameter) without wrappers' and PEFT's
 *     additions
 * @param scope where it lies among PEFT's own wrappers
 * @param adapterName the name of the adapter that the key still holds; empty as a rule, for PEFT
 *     strips it
 */
record AdapterKey(Role role, String module, Scope scope, Optional<String> adapterName) {

  /** What a tensor is, by its key alone. */
  enum Role {
    A,
    B,
    BIAS_OF_B,
    EMBEDDING_A,
    EMBEDDING_B,
    MAGNITUDE,
    TOKEN_ROWS,
    SAVED_PARAMETER,
    WRAPPED_PARAMETER,
    BASE_COPY,
    PLAIN_PARAMETER,
    UNKNOWN
  }

  /**
   * Where among nested wrappers.
   *
   * @param owner the module that PEFT resolved the scaling for: what stands before the first {@code
   *     base_layer}
   * @param depth number of {@code base_layer} steps at the end of the module's path
   */
  record Scope(String owner, int depth) {}

  private static final Set<String> WRAPPERS =
      Set.of("_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module");
  private static final String BASE_LAYER = "base_layer";
  private static final Map<String, Role> MARKERS =
      Map.of(
          "lora_A", Role.A,
          "lora_B", Role.B,
          "lora_embedding_A", Role.EMBEDDING_A,
          "lora_embedding_B", Role.EMBEDDING_B,
          "lora_magnitude_vector", Role.MAGNITUDE,
          "trainable_tokens_delta", Role.TOKEN_ROWS,
          "token_adapter", Role.BASE_COPY,
          "original_module", Role.BASE_COPY,
          "modules_to_save", Role.SAVED_PARAMETER);

  static AdapterKey parse(String key) {
    List<String> path = new ArrayList<>(Arrays.asList(key.split("\\.", -1)));
    path.removeIf(WRAPPERS::contains);
    if (path.size() > 1 && path.getFirst().equals("module") && path.get(1).equals("base_model")) {
      path.removeFirst();
    }
    if (path.size() > 2 && path.getFirst().equals("base_model") && path.get(1).equals("model")) {
      path.subList(0, 2).clear();
    }
    for (int i = path.size() - 1; i >= 0; i--) {
      Role role = MARKERS.get(path.get(i));
      if (role != null) {
        return marked(role, path.subList(0, i), path.subList(i + 1, path.size()));
      }
    }
    if (path.stream().anyMatch(s -> s.startsWith("lora_"))) {
      return unmarked(Role.UNKNOWN, path);
    }
    return unmarked(
        path.contains(BASE_LAYER) ? Role.WRAPPED_PARAMETER : Role.PLAIN_PARAMETER, path);
  }

  private static AdapterKey marked(Role role, List<String> before, List<String> after) {
    return switch (role) {
      case A -> factor(role, before, after, "weight");
      case B ->
          after.isEmpty() || !after.getLast().equals("bias")
              ? factor(role, before, after, "weight")
              : factor(Role.BIAS_OF_B, before, after, "bias");
      case EMBEDDING_A, EMBEDDING_B, MAGNITUDE -> bare(role, before, after);
      case TOKEN_ROWS ->
          !before.isEmpty() && before.getLast().equals("token_adapter")
              ? bare(role, before.subList(0, before.size() - 1), after)
              : unmarked(Role.UNKNOWN, joined(before, after));
      case SAVED_PARAMETER -> saved(before, after);
      default -> unmarked(Role.BASE_COPY, joined(before, after));
    };
  }

  /** {@code lora_A.weight} or {@code lora_A.NAME.weight}. */
  private static AdapterKey factor(
      Role role, List<String> before, List<String> after, String leaf) {
    if (after.isEmpty() || after.size() > 2 || !after.getLast().equals(leaf)) {
      return unmarked(Role.UNKNOWN, joined(before, after));
    }
    return of(role, before, after.size() == 2 ? Optional.of(after.getFirst()) : Optional.empty());
  }

  /** {@code lora_embedding_A}, with the adapter's name, with {@code weight}, or with both. */
  private static AdapterKey bare(Role role, List<String> before, List<String> after) {
    List<String> rest =
        !after.isEmpty() && after.getLast().equals("weight")
            ? after.subList(0, after.size() - 1)
            : after;
    if (rest.size() > 1) {
      return unmarked(Role.UNKNOWN, joined(before, after));
    }
    return of(role, before, rest.stream().findFirst());
  }

  /**
   * {@code classifier.modules_to_save.NAME.weight}; only the usual name can be told from a
   * module's.
   */
  private static AdapterKey saved(List<String> before, List<String> after) {
    boolean named = after.size() > 1 && after.getFirst().equals("default");
    List<String> parameter = named ? after.subList(1, after.size()) : after;
    return unmarked(
        parameter.isEmpty() ? Role.UNKNOWN : Role.SAVED_PARAMETER, joined(before, parameter));
  }

  private static AdapterKey of(Role role, List<String> path, Optional<String> adapterName) {
    int first = path.indexOf(BASE_LAYER);
    int depth = 0;
    while (depth < path.size() && path.get(path.size() - 1 - depth).equals(BASE_LAYER)) {
      depth++;
    }
    String owner = String.join(".", first < 0 ? path : path.subList(0, first));
    return new AdapterKey(role, name(path), new Scope(owner, depth), adapterName);
  }

  private static AdapterKey unmarked(Role role, List<String> path) {
    return of(role, path, Optional.empty());
  }

  private static List<String> joined(List<String> before, List<String> after) {
    List<String> all = new ArrayList<>(before);
    all.addAll(after);
    return all;
  }

  private static String name(List<String> path) {
    return String.join(".", path.stream().filter(s -> !s.equals(BASE_LAYER)).toList());
  }
}
