package dev.graft.fold;

import dev.graft.error.GraftException;
import dev.graft.fold.BaseLayout.Range;
import dev.graft.fold.UndoIndex.AdapterEntry;
import dev.graft.fold.UndoIndex.AdapterTensor;
import dev.graft.fold.UndoIndex.BaseFile;
import dev.graft.fold.UndoIndex.MergedFile;
import dev.graft.fold.UndoIndex.Run;
import dev.graft.fold.UndoIndex.TensorEntry;
import dev.graft.io.OpenFile;
import dev.graft.io.OutputFile;
import dev.graft.onnx.FilePlan;
import dev.graft.undo.RecordReader;
import dev.graft.undo.RecordWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/** Writes the undo record of a merge whose model has been written. */
final class UndoRecorder {

  private final MergePlan plan;
  private final SourceFiles sources;
  private final AdapterValues adapter;
  private final UndoPolicy policy;

  /**
   * Prepares to write.
   *
   * @param plan the merge
   * @param sources the base's files
   * @param adapter the adapter's tensors
   * @param policy whether they go into the record
   */
  UndoRecorder(MergePlan plan, SourceFiles sources, AdapterValues adapter, UndoPolicy policy) {
    this.plan = plan;
    this.sources = sources;
    this.adapter = adapter;
    this.policy = policy;
  }

  /**
   * What was written.
   *
   * @param files its plans by location, the model's own under an empty one
   * @param provenance what the model says of the merge
   */
  record Merged(SequencedMap<String, FilePlan> files, Provenance provenance) {}

  /** Writes the record as a part of the output. */
  UndoSize write(UndoRecording recording, Destination output, Merged merged) {
    OutputFile file = output.record();
    RecordWriter out = new RecordWriter(file);
    UndoRecordWriter writer = new UndoRecordWriter(out, recording, adapter);
    UndoLiterals literals = new UndoLiterals(output.scratch());
    SequencedMap<String, FilePlan> files = new LinkedHashMap<>(merged.files());
    files.putFirst("", files.get(""));
    List<BaseFile> base = writer.files(layout(files), opened(), literals);
    List<TensorEntry> tensors = writer.tensors();
    long beforeAdapter = out.position();
    List<AdapterTensor> adapterTensors = writer.adapterTensors(policy);
    long adapterBytes = out.position() - beforeAdapter;
    UndoIndex.Literals kept = literals.finish(out.position());
    out.append(literals.spool(), 0, literals.storedBytes());
    UndoIndex index =
        new UndoIndex(
            plan.earlier().size() + 1,
            UndoRecord.sha256(new String(merged.provenance().json(), StandardCharsets.UTF_8)),
            mergedFiles(files),
            base,
            tensors,
            kept,
            new AdapterEntry(
                plan.adapter().name(),
                plan.adapterSha256(),
                policy == UndoPolicy.KEPT,
                adapterTensors),
            earlier(out));
    out.finish(UndoIndexJson.write(index));
    return size(UndoRecord.pathFor(output.model()), file.size(), tensors, adapterBytes);
  }

  private SequencedMap<String, List<Range>> layout(SequencedMap<String, FilePlan> files) {
    Map<Path, Long> lengths = new HashMap<>();
    plan.model().dataFiles().values().forEach(p -> lengths.put(p, sources.file(p).size()));
    return BaseLayout.of(plan.model(), List.copyOf(files.sequencedValues()), lengths);
  }

  private Map<String, OpenFile> opened() {
    Map<String, OpenFile> opened = new HashMap<>();
    opened.put("", sources.file(plan.model().path()));
    plan.model().dataFiles().forEach((location, p) -> opened.put(location, sources.file(p)));
    return opened;
  }

  private static List<MergedFile> mergedFiles(SequencedMap<String, FilePlan> files) {
    List<MergedFile> merged = new ArrayList<>();
    files.forEach((location, file) -> merged.add(new MergedFile(location, file.lengthBytes())));
    return merged;
  }

  /** The record of the base goes along, so that what is under the merge can be taken back too. */
  private Run earlier(RecordWriter out) {
    if (plan.earlier().isEmpty()) {
      return new Run(0, 0);
    }
    if (plan.restored().isPresent()) {
      UndoRecord record = plan.restored().get().record();
      return record.earlier().map(run -> append(out, record.reader(), run)).orElse(new Run(0, 0));
    }
    try (UndoRecord record = UndoRecord.open(plan.model())) {
      return append(out, record.reader(), new Run(0, record.reader().file().size()));
    } catch (GraftException e) {
      // There is none for the merges below: they stay.
      return new Run(0, 0);
    }
  }

  private static Run append(RecordWriter out, RecordReader from, Run run) {
    Run appended = new Run(out.position(), run.length());
    out.append(from.file(), run.offset(), run.length());
    return appended;
  }

  private static UndoSize size(
      Path path, long bytes, List<TensorEntry> tensors, long adapterBytes) {
    long[] sums = new long[4];
    for (TensorEntry tensor : tensors) {
      int at = tensor.kind() == UndoKind.REPLACED ? 2 : 0;
      sums[at] += tensor.place().length();
      for (int run : tensor.kept().runs()) {
        sums[at + 1] += run;
      }
      sums[at + 1] += tensor.kept().factors().stream().mapToLong(Run::length).sum();
    }
    return new UndoSize(path, bytes, sums[0], sums[1], sums[2], sums[3], adapterBytes);
  }
}
