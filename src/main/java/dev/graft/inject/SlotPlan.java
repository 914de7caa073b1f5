package dev.graft.inject;

import dev.graft.adapter.LoraPair;
import dev.graft.graph.Value;
import dev.graft.inject.SlotInput.Extent;
import dev.graft.match.Binding;
import dev.graft.match.BoundTarget;
import dev.graft.match.BoundTarget.Lora;
import dev.graft.match.BoundTarget.Whole;
import dev.graft.match.OutputRange;
import dev.graft.match.Prefix;
import dev.graft.match.Reading;
import dev.graft.match.Site;
import dev.graft.match.SiteIndex;
import dev.graft.match.SiteName;
import dev.graft.match.SizeTrace;
import dev.graft.match.Spot;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;

/** Which of an adapter's targets goes into which slot, and at what rank. */
final class SlotPlan {

  private final SiteIndex index;
  private final ModelSlots slots;
  private final Prefix prefix;
  private final SequencedMap<ModelSlots.Pair, SlotFit> fits = new LinkedHashMap<>();
  private final SequencedMap<SlotInput, Whole> wholes = new LinkedHashMap<>();
  private final List<String> misfits = new ArrayList<>();
  private final Set<String> refusals = new LinkedHashSet<>();
  private final Map<String, Integer> ranks = new LinkedHashMap<>();

  private SlotPlan(SiteIndex index, ModelSlots slots, Prefix prefix) {
    this.index = index;
    this.slots = slots;
    this.prefix = prefix;
  }

  /** Thinks it through; what does not go is among {@link #misfits} and {@link #refusals}. */
  static SlotPlan of(SiteIndex index, ModelSlots slots, Binding binding) {
    SlotPlan plan = new SlotPlan(index, slots, binding.prefix());
    binding.bound().forEach(plan::place);
    plan.chooseRanks();
    plan.fits.values().forEach(plan::check);
    return plan;
  }

  /** Slots that are there, but of another shape. */
  List<String> misfits() {
    return misfits;
  }

  /** What has no slot. */
  List<String> refusals() {
    return List.copyOf(refusals);
  }

  private void place(BoundTarget target) {
    switch (target) {
      case Lora lora -> place(lora);
      case Whole whole -> place(whole);
      case BoundTarget.Shift shift -> {
        // The bias of B has a slot beside B's, or is refused with its pair.
      }
      case BoundTarget.Experts experts ->
          refusals.add(experts.label() + ": no slot is known for experts (target_parameters)");
      case BoundTarget.Rows rows ->
          refusals.add(rows.name() + ": no slot is known for rows of a table");
    }
  }

  private void place(Lora lora) {
    String module = lora.pair().module();
    Optional<ModelSlots.Pair> named =
        slots.pair(prefix.apply(module).orElse(module)).or(() -> slots.pair(module));
    if (named.isPresent()) {
      place(named.get(), OutputRange.ALL, lora);
      return;
    }
    Optional<ModelSlots.Pair> ofPart = ofPart(lora);
    if (ofPart.isEmpty() || !lora.place().outputs().isAll()) {
      refusals.add(module + ": the model has no slot for it");
    } else {
      place(ofPart.get(), lora.pairOutputs(), lora);
    }
  }

  /** The slots of the module that an exporter made of a part of the adapter's. */
  private Optional<ModelSlots.Pair> ofPart(Lora lora) {
    return lora.place().spots().stream()
        .flatMap(spot -> spot.readers().stream())
        .flatMap(reading -> names(reading).stream())
        .flatMap(name -> slots.pair(name).stream())
        .findFirst();
  }

  private List<String> names(Reading reading) {
    return index.sites().stream()
        .filter(site -> site.node().equals(reading.node()))
        .map(Site::names)
        .flatMap(List::stream)
        .map(SiteName::module)
        .toList();
  }

  private void place(ModelSlots.Pair where, OutputRange outputs, Lora lora) {
    SlotFit fit = fits.get(where);
    if (fit == null) {
      requireSlots(where, lora.pair());
      fits.put(where, new SlotFit(where, outputs, List.of(lora)));
    } else if (fit.pair().equals(lora.pair()) && fit.outputs().equals(outputs)) {
      List<Lora> both = new ArrayList<>(fit.loras());
      both.add(lora);
      fits.put(where, new SlotFit(where, outputs, both));
    } else {
      misfits.add(
          "%s: slot '%s' would get '%s' as well"
              .formatted(fit.pair().module(), where.a().name(), lora.pair().module()));
    }
  }

  private void requireSlots(ModelSlots.Pair where, LoraPair pair) {
    if (pair.magnitude().isPresent() && where.part(SlotName.Part.FACTOR).isEmpty()) {
      refusals.add(pair.module() + ": is DoRA, and the model has no slot for DoRA's factor");
    }
    if (pair.biasOfB().isPresent() && where.part(SlotName.Part.BIAS_OF_B).isEmpty()) {
      refusals.add(pair.module() + ": has a bias of B (lora_bias), and the model no slot for it");
    }
    if (pair.blocks().ofA() != 1 || pair.blocks().ofB() != 1) {
      refusals.add(pair.module() + ": keeps its factors in blocks (use_bdlora)");
    }
  }

  private void place(Whole whole) {
    boolean isAll = whole.place().outputs().isAll() && whole.valueOutputs().isAll();
    List<SlotInput> inputs = new ArrayList<>();
    for (Spot spot : whole.place().spots()) {
      for (Value root : spot.roots()) {
        slots.whole(root.name()).ifPresent(inputs::add);
      }
    }
    boolean isSplit = whole.place().isSplit();
    if (inputs.isEmpty() || !isAll || isSplit) {
      refusals.add(whole.name() + ": the model has no slot for a tensor that is brought whole");
      return;
    }
    for (SlotInput input : inputs) {
      if (!input.isFloat() || !input.takes(SizeTrace.shape(whole).toArray())) {
        misfits.add(
            "%s: the adapter has %s for slot '%s', which takes %s"
                .formatted(whole.name(), SizeTrace.shape(whole), input.name(), input.extents()));
      }
      wholes.put(input, whole);
    }
  }

  /**
   * What shares the name of its rank gets one rank: ONNX Runtime plans its memory by the names, and
   * fails where two of one name differ.
   */
  private void chooseRanks() {
    for (SlotFit fit : fits.values()) {
      fit.rank()
          .filter(extent -> !extent.isFixed() && !extent.symbol().isEmpty())
          .ifPresent(extent -> ranks.merge(extent.symbol(), fit.pair().rank(), Math::max));
    }
  }

  private int rank(SlotFit fit) {
    Optional<Extent> extent = fit.rank();
    if (extent.isPresent() && extent.get().isFixed()) {
      return Math.toIntExact(Math.min(Integer.MAX_VALUE, extent.get().size()));
    }
    return extent.map(e -> ranks.get(e.symbol())).orElse(fit.pair().rank());
  }

  private void check(SlotFit fit) {
    fit.problem(rank(fit)).ifPresent(misfits::add);
  }

  /** The inputs that are fed. */
  List<String> inputs() {
    List<String> inputs = new ArrayList<>();
    for (SlotFit fit : fits.values()) {
      inputs.add(fit.slots().a().name());
      inputs.add(fit.slots().b().name());
      fit.slots()
          .part(SlotName.Part.BIAS_OF_B)
          .filter(_ -> fit.pair().biasOfB().isPresent())
          .ifPresent(slot -> inputs.add(slot.name()));
      fit.slots()
          .part(SlotName.Part.FACTOR)
          .filter(_ -> fit.pair().magnitude().isPresent())
          .ifPresent(slot -> inputs.add(slot.name()));
    }
    for (ModelSlots.Pair idle : idle()) {
      inputs.add(idle.a().name());
      inputs.add(idle.b().name());
    }
    wholes.keySet().forEach(input -> inputs.add(input.name()));
    return List.copyOf(inputs);
  }

  /** Adds all values. */
  void addTo(SlotValues values) {
    fits.values().forEach(fit -> values.add(fit, rank(fit)));
    for (ModelSlots.Pair pair : idle()) {
      values.addNothing(pair, dims(pair.a()), dims(pair.b()));
    }
    wholes.forEach((input, whole) -> values.add(input, whole, SizeTrace.shape(whole)));
  }

  /** Slots for which there is nothing, but whose rank has the name of others that get one. */
  private List<ModelSlots.Pair> idle() {
    return slots.pairs().stream()
        .filter(pair -> !fits.containsKey(pair))
        .filter(pair -> isRanked(pair.a()) && isRanked(pair.b()))
        .toList();
  }

  private boolean isRanked(SlotInput slot) {
    return slot.extents().stream().anyMatch(e -> ranks.containsKey(e.symbol()))
        && slot.extents().stream().allMatch(e -> e.isFixed() || ranks.containsKey(e.symbol()));
  }

  private long[] dims(SlotInput slot) {
    return slot.extents().stream()
        .mapToLong(e -> e.isFixed() ? e.size() : ranks.getOrDefault(e.symbol(), 0))
        .toArray();
  }
}
