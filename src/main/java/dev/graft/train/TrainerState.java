package dev.graft.train;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/** What Hugging Face's Trainer writes about a run, {@code trainer_state.json}. */
final class TrainerState {

  static final String FILE = "trainer_state.json";

  private final TrainingOptions options;
  private final Plan plan;

  TrainerState(TrainingOptions options, Plan plan) {
    this.options = options;
    this.plan = plan;
  }

  /**
   * The file's contents.
   *
   * @param seconds how long the run took, if it is over
   */
  Map<String, Object> of(RunState state, Optional<Double> seconds) {
    SequencedMap<String, Object> file = new LinkedHashMap<>();
    put(file, "best_global_step", null);
    put(file, "best_metric", null);
    put(file, "best_model_checkpoint", null);
    file.put("epoch", plan.epoch(state.place()));
    file.put("eval_steps", 500);
    file.put("global_step", state.step());
    file.put("is_hyper_param_search", false);
    file.put("is_local_process_zero", true);
    file.put("is_world_process_zero", true);
    file.put("log_history", history(state, seconds));
    file.put("logging_steps", options.output().loggingSteps());
    file.put("max_steps", plan.steps());
    file.put("num_input_tokens_seen", 0);
    file.put("num_train_epochs", (long) Math.ceil(options.batches().length().epochs()));
    file.put("save_steps", options.output().saveSteps().orElse(plan.steps()));
    file.put("stateful_callbacks", Map.of());
    file.put("total_flos", 0);
    file.put("train_batch_size", options.batches().size());
    put(file, "trial_name", null);
    put(file, "trial_params", null);
    return file;
  }

  @SuppressWarnings("NullAway") // JSON has null, and the Trainer writes it
  private static void put(
      Map<String, Object> file, String key, @org.jspecify.annotations.Nullable Object value) {
    file.put(key, value);
  }

  private List<Map<String, Object>> history(RunState state, Optional<Double> seconds) {
    List<Map<String, Object>> history = new ArrayList<>();
    for (LogEntry entry : state.log()) {
      SequencedMap<String, Object> line = new LinkedHashMap<>();
      line.put("epoch", entry.epoch());
      line.put("grad_norm", entry.gradNorm());
      line.put("learning_rate", entry.learningRate());
      line.put("loss", entry.loss());
      line.put("step", entry.step());
      history.add(line);
    }
    seconds.ifPresent(time -> history.add(last(state, time)));
    return history;
  }

  private Map<String, Object> last(RunState state, double seconds) {
    SequencedMap<String, Object> line = new LinkedHashMap<>();
    line.put("epoch", plan.epoch(state.place()));
    line.put("step", state.step());
    line.put("total_flos", 0);
    line.put("train_loss", state.meanLoss());
    line.put("train_runtime", seconds);
    line.put("train_samples_per_second", state.place() / seconds);
    line.put("train_steps_per_second", state.step() / seconds);
    return line;
  }
}
