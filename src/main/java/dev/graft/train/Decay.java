package dev.graft.train;

import dev.graft.train.TrainingOptions.DecayOn;
import java.util.Locale;
import java.util.regex.Pattern;

/** Which parameters weight decay acts on. */
final class Decay {

  private Decay() {}

  /** The decay of a tensor, by what it is and PEFT's name for it. */
  static double of(Trained tensor, double decay, DecayOn on) {
    return on == DecayOn.ALL || !isBiasOrNorm(tensor.source().name()) ? decay : 0;
  }

  /**
   * By the names: the patterns of Hugging Face's Trainer, and the names of norms that it knows by
   * their type.
   */
  private static final Pattern EXEMPT =
      Pattern.compile(
          "bias|layernorm|rmsnorm|(?:^|\\.)norm(?:$|\\.)|_norm(?:$|\\.)|(?:^|\\.)ln(?:_\\w+)?\\.");

  private static boolean isBiasOrNorm(String name) {
    return EXEMPT.matcher(name.toLowerCase(Locale.ROOT)).find();
  }
}
