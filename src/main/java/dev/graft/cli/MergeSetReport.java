package dev.graft.cli;

import java.util.List;

/**
 * What the verb did, or would do, to a model in several files.
 *
 * @param schema version of the report
 * @param verb the verb
 * @param tool name and version of the program
 * @param dryRun whether nothing was to be written
 * @param merges the merge of each file
 */
record MergeSetReport(
    int schema, String verb, String tool, boolean dryRun, List<MergeReport> merges) {

  static MergeSetReport of(List<MergeReport> merges) {
    MergeReport first = merges.getFirst();
    return new MergeSetReport(
        first.schema(), first.verb(), first.tool(), first.dryRun(), List.copyOf(merges));
  }
}
