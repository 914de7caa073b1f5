package dev.graft.cli;

/**
 * The report of a run that failed.
 *
 * @param schema version of the report
 * @param verb what was asked for
 * @param error what went wrong
 */
record ErrorReport(int schema, String verb, Failure error) {

  ErrorReport(String verb, Failure error) {
    this(Json.SCHEMA, verb, error);
  }
}
