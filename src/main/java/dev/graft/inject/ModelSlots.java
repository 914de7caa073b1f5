package dev.graft.inject;

import dev.graft.adapter.LoraPair;
import dev.graft.adapter.PeftAdapter;
import dev.graft.error.BindingException;
import dev.graft.error.UnsupportedException;
import dev.graft.error.UsageException;
import dev.graft.graph.ModelGraph;
import dev.graft.match.Binder;
import dev.graft.match.Prefix;
import dev.graft.onnx.proto.ValueInfoProto;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * The inputs of a model that an adapter's tensors go into at run time, whichever tool made them.
 * Some list an input twice.
 */
final class ModelSlots {

  private final SequencedMap<String, Pair> pairs = new LinkedHashMap<>();
  private final Map<String, SlotInput> wholes = new LinkedHashMap<>();

  /**
   * The slots of one module.
   *
   * @param module its name as the slots have it
   * @param parts by what goes there; A and B are always among them
   */
  record Pair(String module, Map<SlotName.Part, SlotInput> parts) {
    SlotInput a() {
      return Optional.ofNullable(parts.get(SlotName.Part.A)).orElseThrow();
    }

    SlotInput b() {
      return Optional.ofNullable(parts.get(SlotName.Part.B)).orElseThrow();
    }

    Optional<SlotInput> part(SlotName.Part part) {
      return Optional.ofNullable(parts.get(part));
    }
  }

  private ModelSlots() {}

  /**
   * Finds them.
   *
   * @param adapter whose slots are meant where a model has those of several adapters
   * @throws BindingException if there are none
   * @throws UsageException if it is not clear whose are meant
   * @throws UnsupportedException if they take no floats, or one of A and B is missing
   */
  static ModelSlots of(ModelGraph graph, Optional<AdapterName> adapter) {
    SequencedMap<String, SlotInput> inputs = new LinkedHashMap<>();
    for (ValueInfoProto value : graph.model().proto().getGraph().getInputList()) {
      inputs.putIfAbsent(value.getName(), SlotInput.of(value));
    }
    ModelSlots slots = new ModelSlots();
    SequencedMap<SlotName, SlotInput> found = new LinkedHashMap<>();
    inputs.forEach((name, input) ->
        SlotName.parse(name)
            .ifPresentOrElse(
                parsed -> found.put(parsed, input),
                () -> {
                  if (graph.main().initializer(name).isPresent()) {
                    slots.wholes.put(name, input);
                  }
                }));
    String model = graph.model().path().toString();
    if (found.isEmpty()) {
      throw new BindingException(
          model
              + ": the model has no slots for an adapter; make them with graft insert --as inputs, or merge the adapter");
    }
    AdapterName chosen = adapter.orElseGet(() -> only(model, found));
    slots.collect(model, found, chosen);
    return slots;
  }

  private static AdapterName only(String model, Map<SlotName, SlotInput> found) {
    TreeSet<String> names =
        found.keySet().stream()
            .map(n -> n.adapter().value())
            .collect(Collectors.toCollection(TreeSet::new));
    if (names.size() > 1) {
      throw new UsageException(
          "%s: has slots for several adapters: %s; say whose with --adapter-name"
              .formatted(model, String.join(", ", names)));
    }
    return new AdapterName(names.first());
  }

  private void collect(String model, SequencedMap<SlotName, SlotInput> found, AdapterName chosen) {
    SequencedMap<String, Map<SlotName.Part, SlotInput>> modules = new LinkedHashMap<>();
    found.forEach((name, input) -> {
      if (name.adapter().equals(chosen)) {
        requireFloat(model, input);
        modules
            .computeIfAbsent(name.module(), _ -> new EnumMap<>(SlotName.Part.class))
            .put(name.part(), input);
      }
    });
    if (modules.isEmpty()) {
      throw new UsageException(
          "%s: has no slots for an adapter called '%s', but for: %s"
              .formatted(
                  model,
                  chosen.value(),
                  found.keySet().stream()
                      .map(n -> n.adapter().value())
                      .distinct()
                      .sorted()
                      .collect(Collectors.joining(", "))));
    }
    modules.forEach((module, parts) -> {
      if (!parts.containsKey(SlotName.Part.A) || !parts.containsKey(SlotName.Part.B)) {
        throw new UnsupportedException(
            "%s: '%s' has a slot '%s', but not both of lora_A and lora_B; make the slots again with graft insert --as inputs"
                .formatted(model, module, parts.values().iterator().next().name()));
      }
      pairs.put(SlotName.plain(module), new Pair(module, Map.copyOf(parts)));
    });
  }

  private static void requireFloat(String model, SlotInput input) {
    if (!input.isFloat()) {
      throw new UnsupportedException(
          "%s: slot '%s' takes no floats (element type %d), so its adapters are quantised, which is not supported; make slots with graft insert --as inputs"
              .formatted(model, input.name(), input.code()));
    }
  }

  /**
   * How names are joined if one prefix in front of all of an adapter's pairs gives the slots' own
   * names, which say it more plainly than the weights' names; otherwise as it was.
   */
  Binder.Options prefixOf(PeftAdapter adapter, Binder.Options options) {
    List<String> modules =
        adapter.targets().stream()
            .filter(LoraPair.class::isInstance)
            .map(target -> ((LoraPair) target).module())
            .toList();
    if (options.prefix().isPresent() || modules.isEmpty()) {
      return options;
    }
    String first = "." + modules.getFirst();
    return pairs.values().stream()
        .map(Pair::module)
        .filter(module -> module.endsWith(first))
        .map(module -> module.substring(0, module.length() - first.length() + 1))
        .filter(front -> modules.stream().allMatch(m -> pair(front + m).isPresent()))
        .findFirst()
        .map(front ->
            new Binder.Options(Optional.of(new Prefix("", front)), options.map(), options.ties()))
        .orElse(options);
  }

  /** The slots of a module under any exporter's name for it. */
  Optional<Pair> pair(String module) {
    return Optional.ofNullable(pairs.get(SlotName.plain(module)));
  }

  /** All pairs of slots in the order of the inputs. */
  List<Pair> pairs() {
    return new ArrayList<>(pairs.values());
  }

  /** The input that a stored tensor is the default of. */
  Optional<SlotInput> whole(String initializer) {
    return Optional.ofNullable(wholes.get(initializer));
  }
}
