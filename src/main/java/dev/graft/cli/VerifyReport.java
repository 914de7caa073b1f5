package dev.graft.cli;

import dev.graft.verify.OutputParity;
import dev.graft.verify.ParityReport;
import java.util.List;
import java.util.Optional;

/**
 * What {@code verify} found.
 *
 * @param schema version of the report
 * @param verb the verb
 * @param candidate the model that was checked
 * @param reference what it was checked against
 * @param inputs what it was fed with
 * @param holds whether the check holds
 * @param outputs every output that was compared
 * @param missing outputs that the reference has and the model lacks
 * @param notCompared outputs that the reference says nothing about
 */
record VerifyReport(
    int schema,
    String verb,
    String candidate,
    String reference,
    String inputs,
    boolean holds,
    List<Output> outputs,
    List<String> missing,
    List<String> notCompared) {

  /**
   * One output. An error that is no finite number stands in JSON as a string.
   *
   * @param name its name
   * @param reference the reference's name for it
   * @param dtype its element type
   * @param shape its dimensions
   * @param maxAbs the largest absolute error
   * @param maxRel the largest relative error
   * @param meanAbs the mean absolute error
   * @param beyond elements outside the tolerance
   * @param nonFinite elements that are NaN or infinite
   * @param argmax agreement of the largest entry along the last axis
   * @param worst the element with the largest error
   * @param tolerance what was allowed
   * @param holds whether every element is within the tolerance
   */
  record Output(
      String name,
      String reference,
      String dtype,
      List<Long> shape,
      double maxAbs,
      double maxRel,
      double meanAbs,
      long beyond,
      long nonFinite,
      Optional<OutputParity.Argmax> argmax,
      Optional<OutputParity.Worst> worst,
      Allowed tolerance,
      boolean holds) {
    static Output of(OutputParity parity) {
      return new Output(
          parity.name(),
          parity.reference(),
          parity.dtype().name(),
          TensorEntry.dims(parity.shape()),
          parity.errors().maxAbs(),
          parity.errors().maxRel(),
          parity.errors().meanAbs(),
          parity.errors().beyond(),
          parity.errors().nonFinite(),
          parity.argmax(),
          parity.worst(),
          new Allowed(parity.atol(), parity.rtol()),
          parity.holds());
    }
  }

  /**
   * An error may be atol + rtol · |reference|.
   *
   * @param atol the absolute part
   * @param rtol the relative part
   */
  record Allowed(double atol, double rtol) {}

  static VerifyReport of(ParityReport parity, String verb) {
    return new VerifyReport(
        Json.SCHEMA,
        verb,
        parity.candidate(),
        parity.reference(),
        parity.inputs(),
        parity.holds(),
        parity.outputs().stream().map(Output::of).toList(),
        parity.missing(),
        parity.notCompared());
  }
}
