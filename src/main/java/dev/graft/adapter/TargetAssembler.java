package dev.graft.adapter;

import dev.graft.adapter.Replacement.Origin;
import dev.graft.error.FormatException;
import dev.graft.safetensors.Json;
import dev.graft.safetensors.SafetensorsData;
import dev.graft.safetensors.SafetensorsTensor;
import dev.graft.safetensors.StrictJson;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Sorts the tensors of an adapter into targets; a tensor that finds no place is an error, never
 * ignored.
 */
final class TargetAssembler {

  private record SlotId(String module, int depth) {

    // As in every record, but what the compiler makes is put together at run time, some
    // milliseconds of every start.
    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof SlotId s && depth == s.depth && module.equals(s.module);
    }

    @Override
    public int hashCode() {
      return 31 * module.hashCode() + depth;
    }
  }

  private final AdapterConfig config;
  private final Findings findings;
  private final PlainParameters plain;
  private final Map<SlotId, LoraSlot> slots = new LinkedHashMap<>();
  private final SequencedMap<String, Replacement> replacements = new LinkedHashMap<>();
  private final List<AdapterTarget> others = new ArrayList<>();
  private final List<String> unrecognised = new ArrayList<>();
  private final TreeSet<String> adapterNames = new TreeSet<>();

  private TargetAssembler(AdapterConfig config, Findings findings) {
    this.config = config;
    this.findings = findings;
    this.plain = new PlainParameters(config);
  }

  /**
   * Sorts all tensors.
   *
   * @param weights the file or index, for messages
   * @param tensors what it holds
   * @throws FormatException with everything that does not fit
   */
  static List<AdapterTarget> assemble(
      Path weights,
      Collection<SafetensorsTensor> tensors,
      AdapterConfig config,
      Findings findings) {
    TargetAssembler assembler = new TargetAssembler(config, findings);
    tensors.forEach(assembler::sort);
    return assembler.finish(weights);
  }

  private void sort(SafetensorsTensor tensor) {
    AdapterKey key = AdapterKey.parse(tensor.name());
    key.adapterName().ifPresent(adapterNames::add);
    switch (key.role()) {
      case A, B, BIAS_OF_B, EMBEDDING_A, EMBEDDING_B, MAGNITUDE -> addToSlot(key, tensor);
      case TOKEN_ROWS -> addTokenRows(key.module(), tensor);
      case SAVED_PARAMETER ->
          addReplacement(new Replacement(key.module(), tensor, Origin.MODULES_TO_SAVE));
      case BASE_COPY -> addCopy(key.module(), tensor);
      case WRAPPED_PARAMETER -> {
        if (plain.isTrainedBias(key.module())) {
          addReplacement(new Replacement(key.module(), tensor, Origin.BIAS));
        } else {
          addCopy(key.module(), tensor);
        }
      }
      case PLAIN_PARAMETER ->
          plain
              .origin(key.module())
              .ifPresentOrElse(
                  origin -> addReplacement(new Replacement(key.module(), tensor, origin)),
                  () -> unrecognised.add(tensor.name()));
      case UNKNOWN -> unrecognised.add(tensor.name());
    }
  }

  private void addToSlot(AdapterKey key, SafetensorsTensor tensor) {
    SlotId id = new SlotId(key.module(), key.scope().depth());
    Optional<SafetensorsTensor> other =
        slots.computeIfAbsent(id, i -> new LoraSlot(key)).put(key.role(), tensor);
    other.ifPresent(o -> twice(o, tensor, key.module()));
  }

  private void addReplacement(Replacement replacement) {
    Replacement other = replacements.putIfAbsent(replacement.parameter(), replacement);
    // With bias=all PEFT saves the bias of a saved module once more under its wrapper's name.
    if (other != null && !SafetensorsData.isSame(other.value(), replacement.value())) {
      twice(other.value(), replacement.value(), replacement.parameter());
    }
  }

  private void twice(SafetensorsTensor a, SafetensorsTensor b, String target) {
    findings.problem(
        "tensors "
            + StrictJson.excerpt(a.name())
            + " and "
            + StrictJson.excerpt(b.name())
            + " both stand for "
            + StrictJson.excerpt(target)
            + "; keep one");
  }

  private void addCopy(String parameter, SafetensorsTensor tensor) {
    others.add(new BaseCopy(parameter, tensor));
    findings.warn(
        "tensor "
            + StrictJson.excerpt(tensor.name())
            + " is a copy of the base model's own values; it is not folded");
  }

  private void addTokenRows(String module, SafetensorsTensor rows) {
    Optional<List<Long>> indices = tokenIndices(module);
    String what = PairAssembler.describe(rows);
    if (indices.isEmpty()) {
      findings.problem(what + ", but trainable_token_indices gives no indices for this module");
    } else if (rows.shape().rank() != 2 || rows.shape().dim(0) != indices.get().size()) {
      findings.problem(
          what
              + ", expected ["
              + indices.get().size()
              + ", width], one row for each of trainable_token_indices");
    } else if (indices.get().stream().distinct().count() != indices.get().size()
        || indices.get().stream().anyMatch(i -> i < 0)) {
      findings.problem(what + ": trainable_token_indices names a row twice or a negative one");
    } else {
      others.add(new TokenRows(module, rows, indices.get()));
    }
  }

  private Optional<List<Long>> tokenIndices(String module) {
    Json value = config.value(ConfigField.TRAINABLE_TOKEN_INDICES).orElse(Json.Null.NULL);
    if (value instanceof Json.Arr list) {
      return Optional.of(integers(list));
    }
    if (value instanceof Json.Obj(SequencedMap<String, Json> byModule)) {
      return byModule.entrySet().stream()
          .filter(e -> module.endsWith(e.getKey()))
          .findFirst()
          .map(e -> integers((Json.Arr) e.getValue()));
    }
    return Optional.empty();
  }

  private static List<Long> integers(Json.Arr list) {
    return list.items().stream().map(item -> ((Json.Num) item).toLong().orElseThrow()).toList();
  }

  private List<AdapterTarget> finish(Path weights) {
    List<AdapterTarget> targets = new ArrayList<>();
    PairAssembler pairs = new PairAssembler(config, findings);
    MultiheadPairs attentions = new MultiheadPairs(slots.values(), findings);
    for (LoraSlot slot : slots.values()) {
      pairs.assemble(slot).map(pair -> attentions.resolved(slot, pair)).ifPresent(targets::add);
    }
    targets.addAll(replacements.values());
    targets.addAll(others);
    if (adapterNames.size() > 1) {
      findings.problem("the keys name several adapters " + adapterNames + "; save them one by one");
    }
    reportUnrecognised();
    boolean tokensExpected = config.value(ConfigField.TRAINABLE_TOKEN_INDICES).isPresent();
    if (tokensExpected
        && findings.isSound()
        && targets.stream().noneMatch(TokenRows.class::isInstance)) {
      findings.problem(
          "trainable_token_indices is set, but no tensor ...token_adapter.trainable_tokens_delta is there");
    }
    if (findings.isSound() && targets.isEmpty()) {
      findings.problem("holds no tensors");
    }
    if (!findings.isSound()) {
      throw new FormatException(
          weights
              + ": "
              + findings.problemCount()
              + " problems with the adapter's tensors:"
              + findings.report());
    }
    return List.copyOf(targets);
  }

  private void reportUnrecognised() {
    if (unrecognised.isEmpty()) {
      return;
    }
    List<String> names = unrecognised.stream().map(StrictJson::excerpt).toList();
    String text =
        unrecognised.size() + " tensors that no setting explains:" + Findings.lines(names);
    if (findings.isRefused()) {
      findings.warn(text);
    } else {
      findings.problem(
          text
              + "\n  expected lora_A, lora_B and their kin, modules named in modules_to_save, or biases that the"
              + " setting bias asks for");
    }
  }
}
