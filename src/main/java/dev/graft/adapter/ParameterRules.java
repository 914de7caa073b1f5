package dev.graft.adapter;

import dev.graft.adapter.LoraPair.Parameters;
import java.util.HashMap;
import java.util.Map;

/** Finds which pairs belong to directly targeted parameters, and to which. */
final class ParameterRules {

  /** What a pair has that stands for no parameter. */
  static final Parameters NONE = new Parameters(Map.of(), 0);

  private final AdapterConfig config;

  ParameterRules(AdapterConfig config) {
    this.config = config;
  }

  /** The parameters that a pair may stand for; none where it belongs to a targeted module. */
  Parameters candidates(AdapterKey key, long rowsOfA, StepBudget budget) {
    String module = key.module();
    if (isTargetModule(module)) {
      return NONE;
    }
    Map<String, Scaling> scalings = new HashMap<>();
    for (String target : config.targetParameters()) {
      if (matches(module, target, rowsOfA)) {
        // PEFT resolves rank and alpha for the parameter's full name.
        String name = target.substring(target.lastIndexOf('.') + 1);
        scalings.computeIfAbsent(name, n -> config.scaling(module + "." + n, budget));
      }
    }
    return scalings.isEmpty() ? NONE : new Parameters(scalings, key.scope().depth());
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
