package dev.graft.train;

import java.util.SequencedMap;

/**
 * Changes parameters by their gradients. It works in Java on the few values that are trained,
 * because ONNX Runtime's optimizer graph takes one weight decay for all of them and no momentum.
 */
interface Optimizer {

  /**
   * Takes a step.
   *
   * @param parameter what to change
   * @param gradient its gradient, as long
   * @param rate the learning rate of the step
   */
  void step(Parameter parameter, float[] gradient, Rate rate);

  /** The state of a parameter by the names of its parts, made of zeros if there is none yet. */
  SequencedMap<String, float[]> state(Parameter parameter);

  /**
   * What differs from step to step and parameter to parameter.
   *
   * @param learningRate the step's
   * @param decay the parameter's weight decay
   * @param step which step it is, from 1
   */
  record Rate(double learningRate, double decay, long step) {}
}
