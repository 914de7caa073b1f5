package dev.graft.match;

import dev.graft.match.ModuleResolver.Found;
import dev.graft.onnx.StoredTensor;

/**
 * A weight that packs modules or is one of the parts of one.
 *
 * @param name the file's name for the module that it is
 * @param found its sites, at least one
 */
record PackedWeight(String name, Found found) {

  /** The number of its outputs. */
  long outputs() {
    return outputs(found.first());
  }

  static long outputs(Site site) {
    return site.layout().out(site.shape());
  }

  /**
   * Whether its outputs can be counted and something be done with them; if not, whoever binds it
   * says why not.
   */
  boolean isPlain(Purpose purpose) {
    Site first = found.first();
    boolean isMatrix =
        purpose == Purpose.BRANCH
            && first.kind() == Site.Kind.QUANTISED
            && QuantisedProducts.isOpen(first);
    return (first.kind() == Site.Kind.LINEAR || isMatrix) && found.isUniform();
  }

  /** How messages call it. */
  String label() {
    StoredTensor tensor = found.first().tensor();
    return "'%s' %s".formatted(tensor.label(), tensor.shape());
  }
}
