package dev.graft.onnx;

import dev.graft.error.FormatException;
import dev.graft.io.Journal;
import dev.graft.io.OpenFile;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.StringStringEntryProto;
import dev.graft.onnx.proto.TrainingInfoProto;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * An ONNX model without its weights: the parsed skeleton, the places of its messages and every
 * tensor as a source. Opening one reads the skeleton only.
 */
public final class OnnxModel {

  private final ModelFiles files;
  private final long fileLength;
  private final Scan scan;
  private final GraphPart graph;
  private final List<FunctionPart> functions;
  private final List<StoredTensor> tensors;
  private final SequencedMap<String, Path> dataFiles;

  private OnnxModel(ModelFiles files, long fileLength, Scan scan) {
    this.files = files;
    this.fileLength = fileLength;
    this.scan = scan;
    ExternalData data = new ExternalData(files);
    PartBuilder parts = new PartBuilder(data);
    ModelProto proto = scan.skeleton();
    this.graph = parts.graph(proto.getGraph(), scan.root().child(7));
    List<MessageSpan> functionSpans = scan.root().children(25);
    List<FunctionPart> found = new ArrayList<>();
    for (int i = 0; i < proto.getFunctionsCount(); i++) {
      found.add(parts.function(proto.getFunctions(i), functionSpans.get(i)));
    }
    this.functions = List.copyOf(found);
    trainingGraphs(parts);
    this.tensors = List.copyOf(parts.tensors());
    this.dataFiles = data.files();
  }

  private OnnxModel(OnnxModel base, GraphPart graph) {
    this.files = base.files;
    this.fileLength = base.fileLength;
    this.scan = base.scan;
    this.graph = graph;
    this.functions = base.functions;
    this.tensors = base.tensors;
    this.dataFiles = base.dataFiles;
  }

  /**
   * Opens a model and checks everything that can be checked without reading weights; of a thin
   * model also that its base is the one that it was made from.
   *
   * @throws FormatException if the file or one of its data files is missing, damaged or not ONNX,
   *     or the base under a thin model is another one
   */
  public static OnnxModel open(Path path) {
    Journal.settle(path);
    ModelFiles files = ModelFiles.at(path);
    try (OpenFile file = files.open()) {
      Scan scan = ModelScanner.scan(file);
      ThinRecord.of(path, scan.skeleton()).ifPresent(thin -> new ThinCheck(path, thin).run());
      return new OnnxModel(files, file.size(), scan);
    }
  }

  /**
   * The same for a model whose files are read from somewhere else.
   *
   * @throws FormatException if a file is missing, damaged or not ONNX
   */
  public static OnnxModel open(ModelFiles files) {
    try (OpenFile file = files.open()) {
      return new OnnxModel(files, file.size(), ModelScanner.scan(file));
    }
  }

  /**
   * The same file seen with another graph: some nodes and initializers gone, some names changed.
   * Places, tensors and the parsed skeleton are those of the file, so that a patch of this model
   * takes the same edits along with those that are made for what is seen.
   *
   * @param edits removals of nodes and initializers, outputs renamed and inputs set
   * @throws IllegalArgumentException if there are other edits among them
   */
  public OnnxModel seenAfter(List<GraphEdit> edits) {
    return new OnnxModel(this, new EditedParts(edits).graph(graph));
  }

  /** The model file. */
  public Path path() {
    return files.path();
  }

  /** Bytes of the model file itself. */
  public long fileLength() {
    return fileLength;
  }

  /** The model without its large payloads. */
  public ModelProto proto() {
    return scan.skeleton();
  }

  /** The whole file as a message. */
  public MessageSpan root() {
    return scan.root();
  }

  /** The main graph. */
  public GraphPart graph() {
    return graph;
  }

  /** The model-local functions. */
  public List<FunctionPart> functions() {
    return functions;
  }

  /** Every tensor of the file, wherever it stands. */
  public List<StoredTensor> tensors() {
    return tensors;
  }

  /** The data files by the location that the model writes, in order of first appearance. */
  public SequencedMap<String, Path> dataFiles() {
    return new LinkedHashMap<>(dataFiles);
  }

  /**
   * Opens the file of one of the tensors' sources, data files under the same checks as when the
   * model was opened.
   *
   * @throws FormatException if it is gone or was exchanged for a link
   */
  public OpenFile openSource(Path source) {
    if (source.equals(path())) {
      return files.open();
    }
    for (Map.Entry<String, Path> file : dataFiles.entrySet()) {
      if (file.getValue().equals(source)) {
        return files.open(file.getKey());
      }
    }
    throw new IllegalArgumentException(source + " is no file of " + path());
  }

  /** The model's metadata; of a repeated key the last value, as ONNX Runtime has it. */
  public SequencedMap<String, String> metadata() {
    SequencedMap<String, String> metadata = new LinkedHashMap<>();
    for (StringStringEntryProto entry : proto().getMetadataPropsList()) {
      metadata.put(entry.getKey(), entry.getValue());
    }
    return metadata;
  }

  private void trainingGraphs(PartBuilder parts) {
    for (MessageSpan span : scan.root().children(20)) {
      TrainingInfoProto info = scan.skeleton().getTrainingInfo(span.index());
      if (info.hasInitialization()) {
        parts.graph(info.getInitialization(), span.child(1));
      }
      if (info.hasAlgorithm()) {
        parts.graph(info.getAlgorithm(), span.child(2));
      }
    }
  }
}
