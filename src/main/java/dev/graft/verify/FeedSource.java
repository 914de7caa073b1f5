package dev.graft.verify;

import dev.graft.runtime.HostTensor;
import dev.graft.runtime.ModelValue;
import java.nio.file.Path;
import java.util.List;
import java.util.SequencedMap;

/**
 * Where a model's inputs come from. Asked for two models, it gives inputs of one name one content.
 */
interface FeedSource {

  /**
   * A tensor for each input, of the type and shape that the model declares.
   *
   * @param model the file, for messages
   */
  SequencedMap<String, HostTensor> feeds(Path model, List<ModelValue> inputs);

  /** What to add to the message when a model fails on these inputs; may be empty. */
  String advice();
}
