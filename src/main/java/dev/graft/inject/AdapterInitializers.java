package dev.graft.inject;

import dev.graft.adapter.LoraPair;
import dev.graft.error.BindingException;
import dev.graft.error.UnsupportedException;
import dev.graft.fold.Rewrite;
import dev.graft.graph.ModelGraph;
import dev.graft.match.BoundTarget.Whole;
import dev.graft.match.Layout;
import dev.graft.match.Prefix;
import dev.graft.match.Site;
import dev.graft.match.Turn;
import dev.graft.onnx.GraphEdit;
import dev.graft.onnx.GraphEdit.AddInitializer;
import dev.graft.onnx.GraphEdit.Keeping;
import dev.graft.onnx.LiteralContent;
import dev.graft.onnx.NewTensor;
import dev.graft.safetensors.SafetensorsTensor;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;

/**
 * The adapter's tensors as initializers, each once however many operators read it. A and B keep
 * their bits; the scale is a constant of its own.
 */
final class AdapterInitializers implements AdapterTensors {

  private final ModelGraph graph;
  private final Prefix prefix;
  private final String infix;
  private final IdentityHashMap<LoraPair, PairTensors> known = new IdentityHashMap<>();
  private final List<GraphEdit> edits = new ArrayList<>();
  private final List<Trainable> trainables = new ArrayList<>();

  /**
   * Begins with none.
   *
   * @param graph has the names that are taken
   * @param prefix how the adapter's names became the file's
   * @param adapter the adapter's name among several on one model
   */
  AdapterInitializers(ModelGraph graph, Prefix prefix, AdapterName adapter) {
    this.graph = graph;
    this.prefix = prefix;
    this.infix = adapter.infix();
  }

  @Override
  public List<GraphEdit> edits() {
    return List.copyOf(edits);
  }

  @Override
  public List<Trainable> trainables() {
    return List.copyOf(trainables);
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
    requirePlain(pair);
    String module = inFile(pair.module());
    PairNames names = PairNames.of(pair, module, infix);
    return new PairTensors(
        PairTensors.Kind.INITIALIZERS,
        module,
        factor(names.a(), pair.a(), form),
        factor(names.b(), pair.b(), form),
        Optional.of(scale(names.own("lora_scaling"), pair.scale())),
        pair.biasOfB()
            .filter(bias -> form.branch() != BranchForm.ON_WEIGHT)
            .map(bias -> vector(names.biasOfB(), bias)),
        pair.magnitude().map(m -> vector(names.own("lora_magnitude_vector"), m)));
  }

  /** The file's name for what the adapter calls so. */
  String inFile(String name) {
    return prefix.apply(name).orElse(name);
  }

  /** A whole weight as floats, in the layout that is wanted; the file may have its name already. */
  String whole(Whole whole, Layout layout) {
    SafetensorsTensor value = whole.replacement().value();
    String name = graph.freshName(inFile(whole.replacement().parameter()));
    boolean turned = layout == Layout.IN_OUT;
    Trainable trainable =
        new Trainable(
            name,
            value,
            turned ? value.shape().transposed() : value.shape(),
            turned ? Turn.TRANSPOSED : Turn.AS_IS);
    trainables.add(trainable);
    edits.add(new AddInitializer(tensor(trainable), Keeping.LIKE_BASE));
    return name;
  }

  private static NewTensor tensor(Trainable trainable) {
    return Rewrite.tensor(
        trainable.name(), trainable.source(), trainable.shape(), trainable.turn());
  }

  /**
   * Returns if a pair is one of full factors.
   *
   * @throws UnsupportedException if its factors are kept in blocks
   */
  static void requirePlain(LoraPair pair) {
    if (pair.blocks().ofA() != 1 || pair.blocks().ofB() != 1) {
      throw new UnsupportedException(
          "%s: the adapter keeps its factors in blocks (use_bdlora), which no branch is known for; merge it instead"
              .formatted(pair.module()));
    }
  }

  private String factor(String name, SafetensorsTensor value, Form form) {
    return form.kind() == Site.Kind.CONV ? kernel(name, value, form.rank()) : turned(name, value);
  }

  /** A factor as MatMul reads it on its right side; a kernel that is a point counts as a matrix. */
  private String turned(String name, SafetensorsTensor value) {
    Shape matrix = matrix(value.shape());
    return add(new Trainable(name, value, matrix.transposed(), Turn.TRANSPOSED));
  }

  private static Shape matrix(Shape shape) {
    return Shape.of(shape.dim(0), shape.elements() / Math.max(1, shape.dim(0)));
  }

  /** A linear layer that was exported as a convolution has factors without a kernel. */
  private String kernel(String name, SafetensorsTensor value, int rank) {
    long[] dims = Arrays.copyOf(value.shape().toArray(), rank);
    Arrays.fill(dims, Math.min(rank, value.shape().rank()), rank, 1);
    return add(new Trainable(name, value, Shape.of(dims), Turn.AS_IS));
  }

  private String vector(String name, SafetensorsTensor value) {
    return add(new Trainable(name, value, Shape.of(value.shape().elements()), Turn.AS_IS));
  }

  private String add(Trainable trainable) {
    trainables.add(trainable);
    return add(tensor(trainable));
  }

  private String scale(String name, double factor) {
    return add(
        new NewTensor(name, DType.FLOAT32, Shape.of(), LiteralContent.ofFloats((float) factor)));
  }

  private String add(NewTensor tensor) {
    if (!graph.freshName(tensor.name()).equals(tensor.name())) {
      throw new BindingException(
          "%s: has a value '%s' already, which the adapter's branch would be called; if the adapter is in it, insert the second one under another name (--adapter-name)"
              .formatted(graph.model().path(), tensor.name()));
    }
    edits.add(new AddInitializer(tensor, Keeping.LIKE_BASE));
    return tensor.name();
  }
}
