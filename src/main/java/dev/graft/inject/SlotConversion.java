package dev.graft.inject;

import dev.graft.adapter.PeftAdapter;
import dev.graft.error.BindingException;
import dev.graft.error.UnsupportedException;
import dev.graft.graph.ModelGraph;
import dev.graft.io.OutputGuard;
import dev.graft.match.Binder;
import dev.graft.match.Binding;
import dev.graft.match.Purpose;
import dev.graft.match.SiteIndex;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnxadapter.OnnxAdapterWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * An adapter on its way into the slots of a model, thought through: every target has its slot,
 * every refusal is made, nothing is written yet. The slots may be Graft's, Olive's or those of the
 * GenAI builder.
 */
public final class SlotConversion {

  private final ModelGraph graph;
  private final PeftAdapter adapter;
  private final Binding binding;
  private final SlotPlan plan;

  private SlotConversion(ModelGraph graph, PeftAdapter adapter, Binding binding, SlotPlan plan) {
    this.graph = graph;
    this.adapter = adapter;
    this.binding = binding;
    this.plan = plan;
  }

  /**
   * Binds an adapter to a model and its slots.
   *
   * @param model a model with slots
   * @param adapter the adapter
   * @param options how names are joined
   * @param name whose slots are meant where a model has those of several adapters
   * @throws dev.graft.error.GraftException if something of the adapter has no slot or does not fit
   */
  public static SlotConversion of(
      OnnxModel model, PeftAdapter adapter, Binder.Options options, Optional<AdapterName> name) {
    adapter.requireFoldable();
    ModelGraph graph = ModelGraph.of(model);
    ModelSlots slots = ModelSlots.of(graph, name);
    SiteIndex index = SiteIndex.of(graph);
    Binder.Options named = slots.prefixOf(adapter, options);
    Binding binding = Binder.bind(index, adapter, named.to(Purpose.BRANCH));
    binding.requireComplete();
    SlotPlan plan = SlotPlan.of(index, slots, binding);
    if (!plan.misfits().isEmpty()) {
      throw new BindingException(
          "%s does not fit the slots of %s:%n  %s"
              .formatted(
                  adapter.name(), model.path(), String.join("%n  ".formatted(), plan.misfits())));
    }
    if (!plan.refusals().isEmpty()) {
      throw new UnsupportedException(
          "%s cannot go into the slots of %s:%n  %s%nMerge it, or make slots for it with graft insert --as inputs."
              .formatted(
                  adapter.name(), model.path(), String.join("%n  ".formatted(), plan.refusals())));
    }
    return new SlotConversion(graph, adapter, binding, plan);
  }

  /** The adapter. */
  public PeftAdapter adapter() {
    return adapter;
  }

  /** Which target belongs where. */
  public Binding binding() {
    return binding;
  }

  /** The inputs that are fed, in the order of the file. */
  public List<String> inputs() {
    return plan.inputs();
  }

  /**
   * Writes the file, whole or not at all.
   *
   * @throws dev.graft.error.GraftException if it cannot be done; then nothing has changed
   */
  public void write(Path output) {
    List<Path> inputs = new ArrayList<>(graph.model().dataFiles().values());
    inputs.add(graph.model().path());
    inputs.addAll(adapter.files());
    OutputGuard.check(inputs, output);
    adapter.requireFinite();
    OnnxAdapterWriter writer = new OnnxAdapterWriter();
    plan.addTo(new SlotValues(writer, new DoraFactors(graph.model())));
    writer.write(output);
  }
}
