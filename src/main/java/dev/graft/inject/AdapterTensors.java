package dev.graft.inject;

import dev.graft.adapter.LoraPair;
import dev.graft.match.Site;
import dev.graft.onnx.GraphEdit;
import java.util.List;

/** How the tensors of an adapter come into the graph. */
interface AdapterTensors {

  /**
   * The values that a pair's nodes read.
   *
   * @param form what the pair is put beside
   * @throws dev.graft.error.BindingException if the model has one of the names already
   * @throws dev.graft.error.UnsupportedException if the pair has a form that no branch is known for
   */
  PairTensors of(LoraPair pair, Form form);

  /** The edits that add them. */
  List<GraphEdit> edits();

  /** Those that hold the adapter's tensors, or are the places for them. */
  List<Trainable> trainables();

  /**
   * What a pair is put beside.
   *
   * @param kind what kind of product
   * @param rank how many dimensions its weight has
   * @param branch how; a branch on the weight leaves the bias of B to the module's own
   */
  record Form(Site.Kind kind, int rank, BranchForm branch) {}
}
