package dev.graft.autodiff;

import java.util.List;

/** Says what is known of a node's outputs from what is known of its inputs. */
interface ShapeRule {

  /** Facts of the outputs in order; outputs beyond the list are unknown. */
  List<Facts> of(OpNode node);
}
