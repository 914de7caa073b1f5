package dev.graft.verify;

import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import dev.graft.runtime.HostTensor;
import dev.graft.tensor.Shape;
import dev.graft.verify.OutputComparison.Named;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * Which output is held against which tensor, and what is left over on either side.
 *
 * @param candidate the model that is checked
 * @param pairs output and reference, in the candidate's order
 * @param missing outputs that the reference has and the candidate lacks
 * @param notCompared outputs of the candidate that have no reference
 */
record Pairing(Path candidate, List<Pair> pairs, List<String> missing, List<String> notCompared) {

  /** An output and what it should be. */
  record Pair(Named output, Named reference) {}

  /** Runs both models, one after the other, and pairs outputs of one name. */
  static Pairing withModel(Path candidate, Path reference, ModelRunner runner) {
    SequencedMap<String, HostTensor> outputs = runner.run(candidate, names -> names);
    List<String> missing = new ArrayList<>();
    SequencedMap<String, HostTensor> expected =
        runner.run(
            reference,
            names -> {
              names.stream().filter(name -> !outputs.containsKey(name)).forEach(missing::add);
              if (missing.size() == names.size()) {
                throw new FormatException(
                    "%s has the outputs %s, but %s has %s; no name is in both"
                        .formatted(
                            candidate,
                            Names.listed(outputs.keySet()),
                            reference,
                            Names.listed(names)));
              }
              return names.stream().filter(outputs::containsKey).toList();
            });
    List<Pair> pairs = new ArrayList<>();
    List<String> extra = new ArrayList<>();
    outputs.forEach((name, output) -> {
      HostTensor other = expected.get(name);
      if (other == null) {
        extra.add(name);
      } else {
        pairs.add(new Pair(new Named(name, output), new Named(name, other)));
      }
    });
    return new Pairing(candidate, pairs, missing, extra);
  }

  /** Runs the candidate for the outputs that the file can be held against. */
  static Pairing withStored(
      Path candidate, StoredTensors stored, Optional<String> tensor, ModelRunner runner) {
    tensor.ifPresent(stored::require);
    List<String> extra = new ArrayList<>();
    SequencedMap<String, String> references = new LinkedHashMap<>();
    SequencedMap<String, HostTensor> outputs =
        runner.run(
            candidate,
            names -> {
              references.putAll(references(candidate, names, stored, tensor));
              names.stream().filter(name -> !references.containsKey(name)).forEach(extra::add);
              return List.copyOf(references.keySet());
            });
    List<Pair> pairs = new ArrayList<>();
    outputs.forEach((name, output) -> {
      String key = references.getOrDefault(name, name);
      pairs.add(new Pair(new Named(name, output), new Named(key, stored.get(key))));
    });
    return new Pairing(candidate, pairs, List.of(), extra);
  }

  private static SequencedMap<String, String> references(
      Path candidate, List<String> outputs, StoredTensors stored, Optional<String> tensor) {
    SequencedMap<String, String> references = new LinkedHashMap<>();
    if (tensor.isPresent()) {
      String key = tensor.get();
      references.put(outputs.contains(key) ? key : outputs.getFirst(), key);
      return references;
    }
    outputs.stream().filter(stored.names()::contains).forEach(name -> references.put(name, name));
    if (references.isEmpty()) {
      throw new FormatException(
          "%s: no tensor is named like an output of %s (%s); the file has %s. Name the one to compare with as %s:TENSOR"
              .formatted(
                  stored.path(),
                  candidate,
                  Names.listed(outputs),
                  Names.listed(stored.names()),
                  stored.path()));
    }
    return references;
  }

  /**
   * Compares every pair.
   *
   * @throws FormatException if the shapes of a pair differ, or no pair has any element
   */
  List<OutputParity> compared(Tolerance tolerance) {
    List<OutputParity> outputs = new ArrayList<>();
    for (Pair pair : pairs) {
      requireComparable(pair);
      outputs.add(OutputComparison.compare(pair.output(), pair.reference(), tolerance));
    }
    if (outputs.stream().allMatch(output -> output.shape().elements() == 0)) {
      throw new FormatException(
          candidate + ": every output to compare is empty; feed inputs that give it elements");
    }
    return outputs;
  }

  private void requireComparable(Pair pair) {
    Shape shape = pair.output().tensor().shape();
    Shape expected = pair.reference().tensor().shape();
    if (!shape.equals(expected)) {
      throw new FormatException(
          "%s: output '%s' has shape %s, but the reference '%s' has %s"
              .formatted(
                  candidate, pair.output().name(), shape, pair.reference().name(), expected));
    }
    for (Named side : List.of(pair.output(), pair.reference())) {
      if (!HostTensor.isFloat(side.tensor().dtype())
          && !HostTensor.isInteger(side.tensor().dtype())) {
        throw new UnsupportedException(
            "%s: '%s' is %s; only plain floats and integers can be compared"
                .formatted(candidate, side.name(), side.tensor().dtype()));
      }
    }
  }
}
