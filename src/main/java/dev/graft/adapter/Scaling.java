package dev.graft.adapter;

/**
 * How strong a LoRA delta is, by the configuration.
 *
 * @param rank the module's rank, at least 1
 * @param alpha the module's {@code lora_alpha}
 * @param factor what B·A is multiplied with: alpha / rank, or alpha / sqrt(rank) with {@code
 *     use_rslora}
 */
public record Scaling(int rank, double alpha, double factor) {

  static Scaling plain(int rank, double alpha) {
    return new Scaling(rank, alpha, alpha / rank);
  }

  static Scaling rankStabilised(int rank, double alpha) {
    return new Scaling(rank, alpha, alpha / Math.sqrt(rank));
  }
}
