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
    return site.layout().out(site.tensor().shape());
  }

  /** Whether its outputs can be counted; if not, whoever binds it says why not. */
  boolean isPlain() {
    return found.first().kind() == Site.Kind.LINEAR && found.isUniform();
  }

  /** How messages call it. */
  String label() {
    StoredTensor tensor = found.first().tensor();
    return "'%s' %s".formatted(tensor.label(), tensor.shape());
  }
}
