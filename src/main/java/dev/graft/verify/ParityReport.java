package dev.graft.verify;

import java.util.List;

/**
 * What a parity check found.
 *
 * @param candidate the model that was checked
 * @param reference what it was checked against
 * @param inputs what it was fed with
 * @param outputs the outputs that were compared, in the candidate's order
 * @param missing outputs that the reference model has and the candidate lacks; each fails the check
 * @param notCompared outputs of the candidate that the reference says nothing about
 */
public record ParityReport(
    String candidate,
    String reference,
    String inputs,
    List<OutputParity> outputs,
    List<String> missing,
    List<String> notCompared) {

  /** Keeps its own copies. */
  public ParityReport {
    outputs = List.copyOf(outputs);
    missing = List.copyOf(missing);
    notCompared = List.copyOf(notCompared);
  }

  /** Whether no output is missing and every element of every output is within its tolerance. */
  public boolean holds() {
    return missing.isEmpty() && outputs.stream().allMatch(OutputParity::holds);
  }
}
