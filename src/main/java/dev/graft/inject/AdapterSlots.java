package dev.graft.inject;

import dev.graft.adapter.LoraPair;
import dev.graft.error.BindingException;
import dev.graft.error.UnsupportedException;
import dev.graft.error.UsageException;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.Value;
import dev.graft.match.BoundTarget.Whole;
import dev.graft.match.Prefix;
import dev.graft.match.Site;
import dev.graft.match.SizeTrace;
import dev.graft.match.Spot;
import dev.graft.match.Turn;
import dev.graft.onnx.GraphEdit;
import dev.graft.onnx.GraphEdit.AddInitializer;
import dev.graft.onnx.GraphEdit.AddValue;
import dev.graft.onnx.GraphEdit.Declaration;
import dev.graft.onnx.GraphEdit.Keeping;
import dev.graft.onnx.LiteralContent;
import dev.graft.onnx.NewTensor;
import dev.graft.onnx.StoredTensor;
import dev.graft.onnx.proto.ValueInfoProto;
import dev.graft.safetensors.SafetensorsTensor;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Inputs that an adapter's tensors come in by at run time. Each has a default under which it
 * changes nothing: factors without a rank, or zeros; for DoRA's factor ones; for what is replaced
 * whole the base's own values. The rank has a name of its own for each module: under one shared
 * name ONNX Runtime would plan its memory as if all ranks were the same.
 */
final class AdapterSlots implements AdapterTensors {

  private final ModelGraph graph;
  private final Prefix prefix;
  private final SlotSettings settings;
  private final IdentityHashMap<LoraPair, PairTensors> known = new IdentityHashMap<>();
  private final List<GraphEdit> edits = new ArrayList<>();
  private final List<Trainable> trainables = new ArrayList<>();
  private final Set<String> inputs = new LinkedHashSet<>();

  /**
   * Begins with none.
   *
   * @param graph has the names that are taken
   * @param prefix how the adapter's names became the file's
   */
  AdapterSlots(ModelGraph graph, Prefix prefix, SlotSettings settings) {
    this.graph = graph;
    this.prefix = prefix;
    this.settings = settings;
  }

  @Override
  public List<GraphEdit> edits() {
    return List.copyOf(edits);
  }

  @Override
  public List<Trainable> trainables() {
    return List.copyOf(trainables);
  }

  /** The inputs that the model did not have. */
  List<String> inputs() {
    return List.copyOf(inputs);
  }

  @Override
  public PairTensors of(LoraPair pair, Form form) {
    PairTensors found = known.get(pair);
    if (found == null) {
      found = add(pair, form);
      known.put(pair, found);
    }
    return found;
  }

  private PairTensors add(LoraPair pair, Form form) {
    AdapterInitializers.requirePlain(pair);
    requireRoom(pair);
    String module = prefix.apply(pair.module()).orElse(pair.module());
    PairNames names = PairNames.of(pair, module, settings.name().infix());
    String rankName = names.own("lora_r");
    return new PairTensors(
        PairTensors.Kind.SLOTS,
        module,
        factor(names.a(), rankName, FactorShape.ofA(pair.a(), form)),
        factor(names.b(), rankName, FactorShape.ofB(pair.b(), form)),
        Optional.empty(),
        pair.biasOfB()
            .filter(_ -> form.branch() != BranchForm.ON_WEIGHT)
            .map(bias -> vector(names.biasOfB(), bias, 0f)),
        pair.magnitude().map(m -> vector(names.own("lora_magnitude_factor"), m, 1f)));
  }

  private void requireRoom(LoraPair pair) {
    OptionalInt fixed = settings.fixedRank();
    if (fixed.isPresent() && pair.rank() > fixed.getAsInt()) {
      throw new UsageException(
          "--max-r is %d, but the adapter's rank at '%s' is %d"
              .formatted(fixed.getAsInt(), pair.module(), pair.rank()));
    }
  }

  /**
   * A factor as the graph has it.
   *
   * @param source the adapter's tensor
   * @param shape its dimensions with the rank of the default
   * @param rankAxis which of them is the rank
   */
  private record FactorShape(SafetensorsTensor source, Shape shape, int rankAxis) {

    static FactorShape ofA(SafetensorsTensor a, Form form) {
      long inputs = a.shape().elements() / Math.max(1, a.shape().dim(0));
      return form.kind() == Site.Kind.CONV
          ? kernel(a, form, 0)
          : new FactorShape(a, Shape.of(inputs, 0), 1);
    }

    static FactorShape ofB(SafetensorsTensor b, Form form) {
      return form.kind() == Site.Kind.CONV
          ? kernel(b, form, 1)
          : new FactorShape(b, Shape.of(0, b.shape().dim(0)), 0);
    }

    /** No convolution has a kernel without channels, so the default has the rank 1. */
    private static FactorShape kernel(SafetensorsTensor factor, Form form, int rankAxis) {
      long[] dims = Arrays.copyOf(factor.shape().toArray(), form.rank());
      Arrays.fill(dims, Math.min(form.rank(), factor.shape().rank()), form.rank(), 1);
      dims[rankAxis] = 1;
      return new FactorShape(factor, Shape.of(dims), rankAxis);
    }

    FactorShape ofRank(int rank) {
      long[] dims = shape.toArray();
      dims[rankAxis] = rank;
      return new FactorShape(source, Shape.of(dims), rankAxis);
    }
  }

  private String factor(String name, String rankName, FactorShape open) {
    OptionalInt fixed = settings.fixedRank();
    FactorShape factor = fixed.isPresent() ? open.ofRank(fixed.getAsInt()) : open;
    ValueInfoProto value =
        fixed.isPresent()
            ? SlotValue.fixed(name, DType.FLOAT32, factor.shape())
            : SlotValue.open(name, factor.shape(), factor.rankAxis(), rankName);
    return add(value, factor.source(), filled(name, factor.shape(), 0f));
  }

  private String vector(String name, SafetensorsTensor source, float value) {
    Shape shape = Shape.of(source.shape().elements());
    return add(SlotValue.fixed(name, DType.FLOAT32, shape), source, filled(name, shape, value));
  }

  private static NewTensor filled(String name, Shape shape, float value) {
    if (shape.elements() > BaseValues.MAX_ELEMENTS) {
      throw new UnsupportedException(
          "slot '%s' %s would have a default of more than 2 GB; use a lower --max-r"
              .formatted(name, shape));
    }
    float[] values = new float[(int) shape.elements()];
    Arrays.fill(values, value);
    return new NewTensor(name, DType.FLOAT32, shape, LiteralContent.ofFloats(values));
  }

  private String add(ValueInfoProto value, SafetensorsTensor source, NewTensor initial) {
    String name = initial.name();
    if (!graph.freshName(name).equals(name)) {
      throw new BindingException(
          "%s: has a value '%s' already, which the slot would be called; if it has slots, insert the second ones under another name (--adapter-name)"
              .formatted(graph.model().path(), name));
    }
    edits.add(new AddValue(Declaration.INPUT, value));
    inputs.add(name);
    edits.add(new AddInitializer(initial, Keeping.LIKE_BASE));
    trainables.add(new Trainable(name, source, initial.shape(), Turn.AS_IS));
    return name;
  }

  /**
   * Makes the base's tensor that one of the adapter's replaces an input with itself as the default.
   *
   * @throws UnsupportedException if the base has no such tensor of its own
   */
  void add(Whole whole) {
    for (Spot spot : whole.place().spots()) {
      requireOwn(whole, spot);
      for (Value root : spot.roots()) {
        StoredTensor stored =
            ModelGraph.stored(root)
                .filter(_ -> root.scope().equals(graph.main()))
                .filter(_ -> root.scope().producer(root.name()).isEmpty())
                .orElseThrow(() ->
                    unknown(
                        whole, "'%s' is no initializer of the main graph".formatted(root.name())));
        addDefault(whole, stored);
      }
    }
    if (whole.place().spots().isEmpty()) {
      throw unknown(whole, "the graph has no such tensor, so there is no default for it");
    }
  }

  private void addDefault(Whole whole, StoredTensor stored) {
    String name = stored.name();
    if (graph.main().input(name).isEmpty() && inputs.add(name)) {
      edits.add(
          new AddValue(Declaration.INPUT, SlotValue.fixed(name, stored.dtype(), stored.shape())));
    }
    trainables.add(new Trainable(name, whole.replacement().value(), stored.shape(), whole.turn()));
  }

  private static void requireOwn(Whole whole, Spot spot) {
    if (spot.isSplit() || !whole.place().outputs().isAll() || !whole.valueOutputs().isAll()) {
      throw unknown(whole, "'%s' serves other modules as well".formatted(spot.tensor().label()));
    }
    if (!spot.tensor().dtype().isFoldable()) {
      throw unknown(whole, "'%s' is quantised".formatted(spot.tensor().label()));
    }
    // ONNX Runtime 1.24 ends the whole process while it loads such a model.
    if (spot.tensor().dtype() == DType.FLOAT16) {
      throw unknown(
          whole,
          "'%s' is float16, whose default ONNX Runtime cannot have overridden"
              .formatted(spot.tensor().label()));
    }
    if (!SizeTrace.shape(whole).equals(spot.tensor().shape())) {
      throw unknown(
          whole,
          "the adapter's is %s, the base's %s"
              .formatted(SizeTrace.shape(whole), spot.tensor().shape()));
    }
  }

  private static UnsupportedException unknown(Whole whole, String reason) {
    return new UnsupportedException(
        "%s: the adapter brings it whole, for which no slot is known: %s; merge the adapter instead"
            .formatted(whole.name(), reason));
  }
}
