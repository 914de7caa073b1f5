package dev.graft.fold;

import dev.graft.adapter.LoraPair.Blocks;
import dev.graft.adapter.LoraPair.Factors;
import dev.graft.fold.BaseLayout.Range;
import dev.graft.fold.FoldedTensor.Part;
import dev.graft.fold.UndoIndex.AdapterTensor;
import dev.graft.fold.UndoIndex.BaseFile;
import dev.graft.fold.UndoIndex.Kept;
import dev.graft.fold.UndoIndex.PartEntry;
import dev.graft.fold.UndoIndex.Run;
import dev.graft.fold.UndoIndex.TensorEntry;
import dev.graft.fold.UndoRecording.Recorded;
import dev.graft.io.ByteSource;
import dev.graft.match.Layout;
import dev.graft.match.OutputRange;
import dev.graft.safetensors.SafetensorsTensor;
import dev.graft.undo.RecordWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/** Puts an undo record together when all tensors have been written. */
final class UndoRecordWriter {

  private final RecordWriter out;
  private final UndoRecording recording;
  private final AdapterValues adapter;
  private final SequencedMap<SafetensorsTensor, Integer> adapterTensors = new LinkedHashMap<>();
  private final Map<FoldedTensor, Integer> numbers = new LinkedHashMap<>();
  private final List<TensorEntry> tensors = new ArrayList<>();

  /**
   * Begins.
   *
   * @param out the record
   * @param recording what was kept of the tensors
   * @param adapter reads the adapter's tensors
   */
  UndoRecordWriter(RecordWriter out, UndoRecording recording, AdapterValues adapter) {
    this.out = out;
    this.recording = recording;
    this.adapter = adapter;
  }

  /**
   * Writes what was kept of every tensor of the base's files, and of their other bytes what the
   * merged files do not have.
   *
   * @param layout where the base's bytes are
   * @param base reads its files, by location
   */
  List<BaseFile> files(
      SequencedMap<String, List<Range>> layout,
      Map<String, ? extends ByteSource> base,
      UndoLiterals literals) {
    List<BaseFile> files = new ArrayList<>();
    layout.forEach((location, ranges) -> {
      List<List<Long>> pieces = new ArrayList<>();
      long length = 0;
      for (Range range : ranges) {
        pieces.add(
            switch (range) {
              case Range.Copied copied ->
                  List.of(UndoIndex.COPIED, (long) copied.file(), copied.offset(), copied.length());
              case Range.Changed changed -> List.of(UndoIndex.TENSOR, (long) tensor(changed));
              case Range.Lost lost -> {
                ByteSource from = Optional.<ByteSource>ofNullable(base.get(location)).orElseThrow();
                literals.add(from, lost.start(), lost.length());
                yield List.of(UndoIndex.LITERAL, lost.length());
              }
            });
        length += range.length();
      }
      files.add(new BaseFile(location, length, pieces));
    });
    return files;
  }

  /** The entries of the tensors. */
  List<TensorEntry> tensors() {
    return List.copyOf(tensors);
  }

  private int tensor(Range.Changed changed) {
    FoldedTensor tensor = changed.tensor();
    Integer known = numbers.get(tensor);
    if (known != null) {
      return known;
    }
    Recorded recorded = recording.of(tensor).orElseThrow();
    UndoKind kind = UndoKind.of(tensor);
    List<PartEntry> parts =
        kind == UndoKind.REPLACED
            ? List.of()
            : tensor.parts().stream().map(p -> part(tensor, p)).toList();
    long offset = out.position();
    List<Integer> runs = new ArrayList<>();
    for (RowRecorder.Run run : recorded.runs()) {
      out.append(recording.spool(), run.offset(), (long) run.first() + run.second());
      runs.add(run.first());
      runs.add(run.second());
    }
    List<Run> factors = recorded.factors().stream().map(this::vector).toList();
    int number = tensors.size();
    numbers.put(tensor, number);
    tensors.add(
        new TensorEntry(
            tensor.outputName(),
            tensor.dtype(),
            recorded.rowLength(),
            kind,
            changed.place(),
            tensor.hashes().before().orElseThrow(),
            parts,
            new Kept(offset, runs, factors)));
    return number;
  }

  private Run vector(float[] values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    Run run = new Run(out.position(), bytes.capacity());
    out.append(bytes.array());
    return run;
  }

  private PartEntry part(FoldedTensor tensor, Part part) {
    return switch (part.change()) {
      case Change.LowRank lowRank -> lowRank("lora", lowRank, part.region());
      case Change.Dora dora -> lowRank("dora", dora.lowRank(), part.region());
      case Change.Experts experts ->
          new PartEntry(
              "experts",
              number(experts.factors().a()),
              number(experts.factors().b()),
              List.of((long) experts.experts(), tensor.shape().dim(1)),
              range(OutputRange.ALL),
              Float.floatToRawIntBits(experts.scale()),
              experts.layout(),
              part.region().axis(),
              range(part.region().outputs()));
      case Change.Shift shift ->
          new PartEntry(
              "shift",
              number(shift.value()),
              -1,
              List.of(),
              range(shift.outputs()),
              Float.floatToRawIntBits(shift.scale()),
              Layout.OUT_IN,
              part.region().axis(),
              range(part.region().outputs()));
      case Change.Rows rows -> throw new IllegalStateException("rows are replaced, not added");
      case Change.Whole whole -> throw new IllegalStateException("values are replaced, not added");
    };
  }

  private PartEntry lowRank(String kind, Change.LowRank change, Region region) {
    Factors factors = change.factors();
    Blocks blocks = factors.extras().blocks();
    return new PartEntry(
        kind,
        number(factors.a()),
        number(factors.b()),
        List.of((long) blocks.ofA(), (long) blocks.ofB()),
        range(change.outputs()),
        Float.floatToRawIntBits(change.scale()),
        change.layout(),
        region.axis(),
        range(region.outputs()));
  }

  private static List<Long> range(OutputRange range) {
    return List.of(range.from(), range.count());
  }

  private int number(SafetensorsTensor tensor) {
    return adapterTensors.computeIfAbsent(tensor, t -> adapterTensors.size());
  }

  /** Appends the bytes of the adapter's tensors that were named, where they are kept. */
  List<AdapterTensor> adapterTensors(UndoPolicy policy) {
    List<AdapterTensor> entries = new ArrayList<>();
    for (SafetensorsTensor tensor : adapterTensors.keySet()) {
      long offset = 0;
      if (policy == UndoPolicy.KEPT) {
        offset = out.position();
        out.append(adapter.file(tensor), tensor.source().offset(), tensor.source().length());
      }
      entries.add(
          new AdapterTensor(
              tensor.name(),
              tensor.dtype(),
              Arrays.stream(tensor.shape().toArray()).boxed().toList(),
              offset));
    }
    return entries;
  }
}
