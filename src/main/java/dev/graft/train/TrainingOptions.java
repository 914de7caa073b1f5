package dev.graft.train;

import dev.graft.autodiff.Objective.Activations;
import dev.graft.match.Binder;
import dev.graft.runtime.Device;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * All that a run of training is told.
 *
 * @param sources what is read
 * @param loss what the model should learn
 * @param batches which rows go into a step, and how many steps there are
 * @param update how a step changes what is trained
 * @param output what is written, and when
 * @param machine where it computes
 */
public record TrainingOptions(
    Sources sources, Loss loss, Batches batches, Update update, Output output, Machine machine) {

  /**
   * What is read.
   *
   * @param model the base
   * @param adapter the adapter that training starts from
   * @param rows the file of tokenised rows
   * @param names how the adapter's names are joined to the model's
   * @param resume the folder of a checkpoint to go on from
   */
  public record Sources(
      Path model, Path adapter, Path rows, Binder.Options names, Optional<Path> resume) {}

  /**
   * What the model should learn.
   *
   * @param task what the logits are
   * @param problem what labels of whole rows are, where that is not left to the data
   * @param smoothing the part of each label that goes to all classes alike, from 0
   * @param averaging over what the loss of a step is the mean
   * @param inputs numbers that fill model inputs which rows do not have, by the input's name
   */
  public record Loss(
      Task task,
      Optional<Problem> problem,
      double smoothing,
      Averaging averaging,
      Map<String, Double> inputs) {
    /** Copies the map. */
    public Loss {
      inputs = Map.copyOf(inputs);
    }
  }

  /** What labels of whole rows are, as Hugging Face calls it. */
  public enum Problem {
    SINGLE_LABEL_CLASSIFICATION,
    MULTI_LABEL_CLASSIFICATION,
    REGRESSION
  }

  /** Over what the loss of an optimizer step is the mean. */
  public enum Averaging {
    /** Over all labels of all batches that the step sums over. */
    WINDOW,
    /** Over the batches' own means. */
    BATCHES
  }

  /**
   * Which rows go into a step.
   *
   * @param size rows of a batch
   * @param accumulation batches of an optimizer step
   * @param order how rows follow each other
   * @param seed of the order and of dropout
   * @param length how long the run is
   */
  public record Batches(int size, int accumulation, Order order, long seed, Length length) {}

  /** How rows follow each other. */
  public enum Order {
    /** As in the file, over and over. */
    FILE,
    /** Every pass over the file in a new order, which the seed decides. */
    SHUFFLED
  }

  /**
   * How long a run is.
   *
   * @param maxSteps optimizer steps; if there are none, the passes count
   * @param epochs passes over the rows
   */
  public record Length(OptionalLong maxSteps, double epochs) {}

  /**
   * How a step changes what is trained.
   *
   * @param optimizer the rule
   * @param learningRate the highest rate
   * @param schedule how the rate goes
   * @param warmup during how much of the run it rises
   * @param weightDecay pull towards zero for each unit of the rate
   * @param decayOn what is pulled
   * @param maxGradNorm the longest gradient, 0 for any length
   * @param dropout the part of a branch's input that is dropped; the adapter's own if not given
   */
  public record Update(
      Rule optimizer,
      double learningRate,
      Schedule.Kind schedule,
      Warmup warmup,
      double weightDecay,
      DecayOn decayOn,
      double maxGradNorm,
      OptionalDouble dropout) {}

  /** A rule by which gradients change parameters. */
  public sealed interface Rule {
    /**
     * {@code torch.optim.AdamW}.
     *
     * @param beta1 how long the mean of gradients lasts
     * @param beta2 how long the mean of their squares lasts
     * @param epsilon what keeps the quotient finite
     */
    record AdamW(double beta1, double beta2, double epsilon) implements Rule {}

    /**
     * {@code torch.optim.SGD}.
     *
     * @param momentum how long earlier gradients last
     */
    record Sgd(double momentum) implements Rule {}
  }

  /**
   * During how much of the run the rate rises.
   *
   * @param steps optimizer steps, if not 0
   * @param ratio else this part of the run
   */
  public record Warmup(long steps, double ratio) {}

  /** What weight decay acts on. */
  public enum DecayOn {
    /** All but biases and the parameters of norms, as Hugging Face's Trainer has it. */
    WEIGHTS,
    /** Everything that is trained, as {@code torch.optim.AdamW} by itself has it. */
    ALL
  }

  /**
   * What is written.
   *
   * @param folder the adapter's folder
   * @param loggingSteps optimizer steps from one entry of the log to the next
   * @param saveSteps optimizer steps from one checkpoint to the next, if there are to be any
   * @param gradients where the gradients of the first step go
   * @param tool name and version of what writes
   */
  public record Output(
      Path folder,
      long loggingSteps,
      OptionalLong saveSteps,
      Optional<Path> gradients,
      String tool) {}

  /**
   * Where it computes.
   *
   * @param device the processor
   * @param threads how many threads share an operator's work, 0 for ONNX Runtime's own choice
   * @param activations whether blocks are computed a second time to save memory
   */
  public record Machine(Device device, int threads, Activations activations) {}
}
