package dev.graft.cli;

import dev.graft.onnxadapter.OnnxAdapterFile;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * What an {@code .onnx_adapter} file holds.
 *
 * @param path the file
 * @param adapterVersion the adapter's own version, 0 if none is given
 * @param modelVersion the version of the model that it is for, 0 if none is given
 * @param valueBytes bytes of all values together
 * @param parameters its tensors in the order of the file
 */
record OnnxAdapterReport(
    String path, int adapterVersion, int modelVersion, long valueBytes, List<Entry> parameters) {

  /**
   * A tensor.
   *
   * @param name the model's input that it is fed to
   * @param dtype its element type
   * @param shape its dimensions
   * @param offset where its values begin in the file
   * @param bytes how many bytes they take
   */
  record Entry(String name, String dtype, List<Long> shape, long offset, long bytes) {}

  static OnnxAdapterReport of(Path path) {
    OnnxAdapterFile file = OnnxAdapterFile.open(path);
    return new OnnxAdapterReport(
        path.toString(),
        file.adapterVersion(),
        file.modelVersion(),
        file.valueBytes(),
        file.parameters().stream()
            .map(stored ->
                new Entry(
                    stored.parameter().name(),
                    stored.parameter().dtype().name(),
                    Arrays.stream(stored.parameter().shape().toArray()).boxed().toList(),
                    stored.source().offset(),
                    stored.source().length()))
            .toList());
  }

  static void print(PrintWriter out, OnnxAdapterReport report) {
    Table head = Table.of(Table.left(""), Table.left(""));
    head.row("file", report.path());
    head.row("adapter version", Integer.toString(report.adapterVersion()));
    head.row("model version", Integer.toString(report.modelVersion()));
    head.row("parameters", Figures.count(report.parameters().size()));
    head.row("values", Figures.bytes(report.valueBytes()));
    head.print(out, "");
    out.println();
    Table table = Table.of(Table.left("parameter"), Table.left("type"), Table.left("shape"));
    report.parameters().forEach(p -> table.row(p.name(), p.dtype(), p.shape().toString()));
    table.print(out, "");
  }
}
