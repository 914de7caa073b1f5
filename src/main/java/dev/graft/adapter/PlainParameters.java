package dev.graft.adapter;

import dev.graft.adapter.Replacement.Origin;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Says why an adapter may hold a whole parameter of the base model. */
final class PlainParameters {

  // Where PEFT saves whole embeddings on its own account.
  private static final Set<String> EMBEDDINGS = Set.of("embed_tokens", "lm_head");

  private static final long STEPS_PER_NAME = 8;

  private final StepBudget budget;
  private final List<String> savedModules;
  private final boolean biases;

  PlainParameters(AdapterConfig config, StepBudget budget) {
    this.budget = budget;
    this.savedModules = new ArrayList<>(config.modulesToSave());
    // Older releases trained the head of these tasks without writing so into the configuration.
    switch (config.taskType().orElse("")) {
      case "SEQ_CLS", "TOKEN_CLS" -> savedModules.addAll(List.of("classifier", "score"));
      case "QUESTION_ANS" -> savedModules.add("qa_outputs");
      default -> {}
    }
    this.biases = !config.bias().equals("none");
  }

  /** The reason, or nothing if none is known. */
  Optional<Origin> origin(String parameter) {
    String module = parameter;
    for (int dot = module.lastIndexOf('.'); dot > 0; dot = module.lastIndexOf('.')) {
      module = module.substring(0, dot);
      if (isSaved(module)) {
        return Optional.of(Origin.MODULES_TO_SAVE);
      }
    }
    if (isTrainedBias(parameter)) {
      return Optional.of(Origin.BIAS);
    }
    int dot = parameter.lastIndexOf('.');
    String owner = dot < 0 ? "" : parameter.substring(0, dot);
    return EMBEDDINGS.contains(owner.substring(owner.lastIndexOf('.') + 1))
        ? Optional.of(Origin.SAVED_EMBEDDING)
        : Optional.empty();
  }

  /** Whether a bias was trained; PEFT takes every parameter whose name holds the word. */
  boolean isTrainedBias(String parameter) {
    return biases && parameter.contains("bias");
  }

  private boolean isSaved(String module) {
    budget.spend(
        module.length() + STEPS_PER_NAME * savedModules.size(), ConfigField.MODULES_TO_SAVE);
    return savedModules.stream().anyMatch(module::endsWith);
  }
}
