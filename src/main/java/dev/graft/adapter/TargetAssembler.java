package dev.graft.adapter;

import dev.graft.adapter.Replacement.Origin;
import dev.graft.error.FormatException;
import dev.graft.safetensors.SafetensorsData;
import dev.graft.safetensors.SafetensorsTensor;
import dev.graft.safetensors.StrictJson;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
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

  /** One LoRA layer; ordered, so that a map stays quick where names were chosen to collide. */
  private record SlotId(String module, int depth) implements Comparable<SlotId> {
    private static final Comparator<SlotId> ORDER =
        Comparator.comparing(SlotId::module).thenComparingInt(SlotId::depth);

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

    @Override
    public int compareTo(SlotId other) {
      return ORDER.compare(this, other);
    }
  }

  // Enough for every real adapter many times over; names and patterns made to explode stop here
  // within a second.
  private static final long STEPS_PER_ADAPTER = 100_000_000;

  /** Real modules lie a dozen deep; the work on a name grows with its parts times its length. */
  private static final int MAX_PARTS = 200;

  private final AdapterConfig config;
  private final Findings findings;
  private final StepBudget budget = new StepBudget(STEPS_PER_ADAPTER);
  private final PlainParameters plain;
  private final TokenIndices tokenIndices;
  private final Map<SlotId, LoraSlot> slots = new LinkedHashMap<>();
  private final SequencedMap<String, Replacement> replacements = new LinkedHashMap<>();
  private final List<AdapterTarget> others = new ArrayList<>();
  private final List<String> unrecognised = new ArrayList<>();
  private final TreeSet<String> adapterNames = new TreeSet<>();

  private TargetAssembler(AdapterConfig config, Findings findings) {
    this.config = config;
    this.findings = findings;
    this.plain = new PlainParameters(config, budget);
    this.tokenIndices = new TokenIndices(config, budget);
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
    if (tensor.name().chars().filter(c -> c == '.').count() >= MAX_PARTS) {
      unrecognised.add(tensor.name());
      return;
    }
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

  private void addTokenRows(String module, SafetensorsTensor tensor) {
    Optional<TokenIndices.Rows> rows = tokenIndices.of(module);
    String what = PairAssembler.describe(tensor);
    if (rows.isEmpty()) {
      findings.problem(what + ", but trainable_token_indices gives no indices for this module");
      return;
    }
    int count = rows.get().indices().size();
    if (tensor.shape().rank() != 2 || tensor.shape().dim(0) != count) {
      findings.problem(
          what + ", expected [" + count + ", width], one row for each of trainable_token_indices");
    } else if (!rows.get().isSound()) {
      findings.problem(what + ": trainable_token_indices names a row twice or a negative one");
    } else {
      others.add(new TokenRows(module, tensor, rows.get().indices()));
    }
  }

  private List<AdapterTarget> finish(Path weights) {
    List<AdapterTarget> targets = new ArrayList<>();
    PairAssembler pairs = new PairAssembler(config, findings, budget);
    MultiheadPairs attentions = new MultiheadPairs(slots.values(), findings);
    for (LoraSlot slot : slots.values()) {
      pairs.assemble(slot).map(pair -> attentions.resolved(slot, pair)).ifPresent(targets::add);
    }
    targets.addAll(replacements.values());
    targets.addAll(others);
    if (adapterNames.size() > 1) {
      findings.problem(
          "the keys name several adapters; save them one by one:"
              + Findings.lines(adapterNames.stream().map(StrictJson::excerpt).toList()));
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
