package dev.graft.fold;

import dev.graft.adapter.LoraPair.Blocks;
import dev.graft.adapter.LoraPair.Extras;
import dev.graft.adapter.LoraPair.Factors;
import dev.graft.adapter.LoraPair.Parameters;
import dev.graft.fold.UndoIndex.PartEntry;
import dev.graft.fold.UndoIndex.Run;
import dev.graft.fold.UndoIndex.TensorEntry;
import dev.graft.match.OutputRange;
import dev.graft.safetensors.SafetensorsTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** Makes the rows that were added once more, from what a record says. */
final class RestoredRows {

  private final UndoRecord record;
  private final List<SafetensorsTensor> tensors;
  private final AdapterValues values;

  /**
   * Prepares.
   *
   * @param record the record
   * @param tensors the adapter's tensors in the record's order
   * @param values reads them
   */
  RestoredRows(UndoRecord record, List<SafetensorsTensor> tensors, AdapterValues values) {
    this.record = record;
    this.tensors = List.copyOf(tensors);
    this.values = values;
  }

  /** What was done to a tensor's rows. */
  RowSource of(TensorEntry entry) {
    Iterator<Run> factors = entry.kept().factors().iterator();
    List<RowSource> parts = new ArrayList<>();
    List<Region> regions = new ArrayList<>();
    for (PartEntry part : entry.parts()) {
      Region region = new Region(part.axis(), range(part.region()));
      RowSource rows = part(part, factors);
      parts.add(region.isAll() ? rows : new RegionRows(rows, region, entry.rowLength()));
      regions.add(region);
    }
    if (parts.isEmpty()) {
      throw damaged("tensor '" + entry.name() + "' has no parts");
    }
    return TensorFolder.together(parts, regions);
  }

  private RowSource part(PartEntry part, Iterator<Run> factors) {
    float scale = Float.intBitsToFloat(part.scaleBits());
    return switch (part.kind()) {
      case "lora" -> lowRank(part, scale);
      case "dora" -> new ScaledRows(lowRank(part, scale), vector(factors.next()), part.layout());
      case "experts" -> {
        Factors pair = factors(part, new Blocks(1, 1));
        int experts = Math.toIntExact(part.blocks().get(0));
        yield new ExpertRows(
            new Change.Experts(pair, experts, scale, part.layout()), part.blocks().get(1), values);
      }
      case "shift" -> new ShiftRows(values.read(tensor(part.a()), range(part.outputs())), scale);
      default -> throw damaged("it names the kind '" + part.kind() + "'");
    };
  }

  private LowRankRows lowRank(PartEntry part, float scale) {
    Blocks blocks =
        new Blocks(Math.toIntExact(part.blocks().get(0)), Math.toIntExact(part.blocks().get(1)));
    return LowRankRows.of(
        new Change.LowRank(factors(part, blocks), range(part.outputs()), scale, part.layout()),
        values);
  }

  private Factors factors(PartEntry part, Blocks blocks) {
    Extras extras = new Extras(null, null, blocks, new Parameters(Map.of(), 0));
    return new Factors(tensor(part.a()), tensor(part.b()), extras);
  }

  private SafetensorsTensor tensor(int number) {
    if (number < 0 || number >= tensors.size()) {
      throw damaged("it names a tensor " + number + " of the adapter");
    }
    return tensors.get(number);
  }

  private float[] vector(Run run) {
    ByteBuffer bytes =
        ByteBuffer.wrap(record.reader().run(run.offset(), run.length()))
            .order(ByteOrder.LITTLE_ENDIAN);
    float[] vector = new float[bytes.capacity() / Float.BYTES];
    bytes.asFloatBuffer().get(vector);
    return vector;
  }

  private static OutputRange range(List<Long> range) {
    return range.get(1) == Long.MAX_VALUE
        ? OutputRange.ALL
        : new OutputRange(range.get(0), range.get(1));
  }

  private RuntimeException damaged(String how) {
    return record.reader().damaged(how);
  }
}
