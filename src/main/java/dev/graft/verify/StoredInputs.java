package dev.graft.verify;

import dev.graft.error.FormatException;
import dev.graft.runtime.HostTensor;
import dev.graft.runtime.ModelValue;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.stream.Collectors;

/** Inputs from a file; tensors that are no inputs of the model are left alone. */
final class StoredInputs implements FeedSource {

  private final StoredTensors stored;

  StoredInputs(StoredTensors stored) {
    this.stored = stored;
  }

  @Override
  public SequencedMap<String, HostTensor> feeds(Path model, List<ModelValue> inputs) {
    requireAll(model, inputs);
    SequencedMap<String, HostTensor> feeds = new LinkedHashMap<>();
    for (ModelValue input : inputs) {
      HostTensor tensor = stored.get(input.name());
      String what = "%s: tensor '%s'".formatted(stored.path(), input.name());
      if (!input.admits(tensor.shape())) {
        throw new FormatException(
            "%s has shape %s, but %s wants %s for that input"
                .formatted(what, tensor.shape(), model, input.dims()));
      }
      feeds.put(input.name(), Conversion.to(input.dtype(), tensor, what));
    }
    return feeds;
  }

  @Override
  public String advice() {
    return "";
  }

  private void requireAll(Path model, List<ModelValue> inputs) {
    String missing =
        inputs.stream()
            .filter(input -> !stored.names().contains(input.name()))
            .map(input -> "'%s' (%s)".formatted(input.name(), input.signature()))
            .collect(Collectors.joining(", "));
    if (!missing.isEmpty()) {
      throw new FormatException(
          "%s: inputs of %s are missing: %s; the file has %s. Store a tensor under each of these names"
              .formatted(stored.path(), model, missing, Names.listed(stored.names())));
    }
  }
}
