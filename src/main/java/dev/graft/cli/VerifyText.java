package dev.graft.cli;

import static dev.graft.cli.Table.left;
import static dev.graft.cli.Table.right;

import java.io.PrintWriter;

/** The report of {@code verify} as text. */
final class VerifyText {

  private VerifyText() {}

  static void print(PrintWriter out, VerifyReport found) {
    out.println("candidate  " + found.candidate());
    out.println("reference  " + found.reference());
    out.println("inputs     " + found.inputs());
    out.println();
    table(found).print(out, "");
    out.println();
    found.outputs().stream().filter(o -> !o.holds()).forEach(o -> out.println(worst(o)));
    found.missing().forEach(name -> out.println("missing: the model has no output '" + name + "'"));
    found.notCompared().forEach(name -> out.println("not compared: " + name));
    out.println(found.holds() ? "the check holds" : "the check does not hold");
  }

  private static Table table(VerifyReport found) {
    Table table =
        Table.of(
            left("output"),
            left("dtype"),
            left("shape"),
            right("max abs"),
            right("max rel"),
            right("argmax"),
            right("atol"),
            right("rtol"),
            left(""));
    for (VerifyReport.Output output : found.outputs()) {
      table.row(
          output.name(),
          output.dtype(),
          output.shape().toString(),
          Figures.error(output.maxAbs()),
          Figures.error(output.maxRel()),
          output.argmax().map(a -> a.agreeing() + "/" + a.total()).orElse("-"),
          Figures.error(output.tolerance().atol()),
          Figures.error(output.tolerance().rtol()),
          output.holds() ? "holds" : "DOES NOT HOLD");
    }
    return table;
  }

  private static String worst(VerifyReport.Output output) {
    String where =
        output
            .worst()
            .map(w ->
                "; worst at %s: %s, expected %s".formatted(w.index(), w.value(), w.reference()))
            .orElse("");
    return output.name()
        + ": "
        + Figures.count(output.beyond())
        + " elements are beyond the tolerance"
        + where;
  }
}
