package dev.graft.adapter;

import dev.graft.adapter.LoraPair.Parameters;
import dev.graft.safetensors.StrictJson;
import java.util.List;
import java.util.Optional;

/** Finds which pairs belong to directly targeted parameters, and to which. */
final class ParameterRules {

  /** What a pair has that stands for no parameter. */
  static final Parameters NONE = new Parameters(List.of(), 0);

  private final AdapterConfig config;

  ParameterRules(AdapterConfig config) {
    this.config = config;
  }

  /**
   * The strength of a pair.
   *
   * @param scaling by the first candidate
   * @param doubt why another candidate would have another strength
   */
  record Strength(Scaling scaling, Optional<String> doubt) {}

  /** The parameters that a pair may stand for; none where it belongs to a targeted module. */
  Parameters candidates(AdapterKey key, long rowsOfA) {
    String module = key.module();
    if (isTargetModule(module)) {
      return NONE;
    }
    List<String> names =
        config.targetParameters().stream()
            .filter(target -> matches(module, target, rowsOfA))
            .map(target -> target.substring(target.lastIndexOf('.') + 1))
            .distinct()
            .sorted()
            .toList();
    return names.isEmpty() ? NONE : new Parameters(names, key.scope().depth());
  }

  /** The scaling, which PEFT resolves for the parameter's full name. */
  Strength strength(AdapterKey key, StepBudget budget) {
    List<Scaling> scalings =
        candidates(key, Long.MAX_VALUE).candidates().stream()
            .map(name -> config.scaling(key.module() + "." + name, budget))
            .distinct()
            .toList();
    Optional<String> doubt =
        scalings.size() == 1
            ? Optional.empty()
            : Optional.of(
                "module "
                    + StrictJson.excerpt(key.module())
                    + ": several of its parameters are targeted with different rank or alpha, and the file does not"
                    + " say which tensor belongs to which; give them the same");
    return new Strength(scalings.getFirst(), doubt);
  }

  private boolean matches(String module, String target, long rowsOfA) {
    int dot = target.lastIndexOf('.');
    if (dot < 0) {
      // A bare parameter name fits any module; a usual pair then shows by having just its rank in
      // rows.
      return rowsOfA != config.r();
    }
    String owner = target.substring(0, dot);
    return isTail(module, owner);
  }

  private boolean isTargetModule(String module) {
    return config.targetModules().stream().anyMatch(name -> isTail(module, name));
  }

  static boolean isTail(String module, String name) {
    return module.equals(name) || module.endsWith("." + name);
  }
}
