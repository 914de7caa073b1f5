package dev.graft.train;

/** Which loss the labels go into. */
enum LossKind {
  /** One class for each labelled row of the logits. */
  CROSS_ENTROPY("cross-entropy"),
  /** Several labels, each there or not. */
  BINARY_CROSS_ENTROPY("binary-cross-entropy"),
  /** Numbers. */
  MEAN_SQUARED_ERROR("mean-squared-error");

  private final String template;

  LossKind(String template) {
    this.template = template;
  }

  /** The template of the loss. */
  Template template() {
    return Template.read(template);
  }
}
