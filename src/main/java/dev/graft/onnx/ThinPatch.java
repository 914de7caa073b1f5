package dev.graft.onnx;

import dev.graft.error.UnsupportedException;
import dev.graft.io.ByteSource;
import dev.graft.io.OpenFile;
import dev.graft.onnx.StoredTensor.Storage;
import dev.graft.tensor.TensorSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * The file of a thin model: that of the model that stands alone, in which the weights say where
 * they lie in the files of others. Nodes, names and everything else stay byte for byte.
 */
public final class ThinPatch {

  private static final int EXTERNAL_DATA = 13;
  private static final int DATA_LOCATION = 14;
  private static final Set<String> PLACE = Set.of("location", "offset", "length", "checksum");

  private final ThinFiles files;
  private final OnnxModel whole;
  private final Function<ByteSource, String> locations;
  private final Set<StoredTensor> initializers = Collections.newSetFromMap(new IdentityHashMap<>());

  /**
   * Prepares a patch.
   *
   * @param files the model that stands alone
   * @param locations what the thin model calls a file that bytes of it come from
   */
  public ThinPatch(ThinFiles files, Function<ByteSource, String> locations) {
    this.files = files;
    this.whole = OnnxModel.open(files);
    this.locations = locations;
    this.initializers.addAll(whole.graph().initializers());
  }

  /**
   * Lays the file out. What is copied comes from the model file of the model that stands alone.
   *
   * @param recordBytes length of the {@link ThinRecord}, which is given when the rest is written
   * @throws UnsupportedException if a tensor lies partly here and partly there
   */
  public FilePlan plan(int recordBytes) {
    try (OpenFile file = files.open()) {
      WireCursor cursor = new WireCursor(file);
      WirePatch wire = new WirePatch(whole.path(), whole.root());
      for (StoredTensor tensor : whole.tensors()) {
        if (tensor.storage() == Storage.EXTERNAL) {
          replace(wire, tensor, places(cursor, tensor), entries(required(tensor), tensor));
        } else if (isMovable(tensor)) {
          files
              .place(tensor.source().orElseThrow())
              .ifPresent(place ->
                  replace(
                      wire,
                      tensor,
                      values(cursor, tensor),
                      entries(place, tensor).number(DATA_LOCATION, 1)));
        }
      }
      wire.appendMetadata(ThinRecord.KEY, recordBytes);
      return wire.plan();
    }
  }

  /**
   * Readers look at small constants before data files are there, and some of them do not look for
   * data files at all where the tensor is no initializer of the main graph.
   */
  private boolean isMovable(StoredTensor tensor) {
    return tensor.storage() == Storage.EMBEDDED
        && tensor.source().map(TensorSource::length).orElse(0L) >= ModelScanner.ELIDED_FROM
        && initializers.contains(tensor);
  }

  private ThinFiles.Place required(StoredTensor tensor) {
    TensorSource source = tensor.source().orElseThrow();
    if (source.length() == 0) {
      // Nothing is read of it, but the file that it names must be there.
      return new ThinFiles.Place(files.own(), 0);
    }
    return files
        .place(source)
        .orElseThrow(() ->
            new UnsupportedException(
                "%s: tensor '%s' shares some of its bytes with one that the merge changes; it cannot be had from the base, merge without --share-base"
                    .formatted(whole.path(), tensor.label())));
  }

  private static List<FieldRange> places(WireCursor cursor, StoredTensor tensor) {
    List<FieldRange> entries = FieldRange.find(cursor, tensor.span(), EXTERNAL_DATA);
    List<FieldRange> places = new ArrayList<>();
    for (int i = 0; i < entries.size(); i++) {
      if (PLACE.contains(tensor.proto().getExternalData(i).getKey())) {
        places.add(entries.get(i));
      }
    }
    return places;
  }

  /** The values, and what is left of a time when the tensor was external. */
  private List<FieldRange> values(WireCursor cursor, StoredTensor tensor) {
    ScanBudget budget = new ScanBudget(whole.path(), Runtime.getRuntime().maxMemory());
    List<FieldRange> fields =
        new ArrayList<>(PayloadWalk.of(cursor, tensor.span(), budget).ranges());
    fields.addAll(
        FieldRange.tagged(
            cursor,
            tensor.span(),
            tag ->
                tag == ((EXTERNAL_DATA << 3) | WireCursor.BYTES)
                    || tag == ((DATA_LOCATION << 3) | WireCursor.VARINT)));
    fields.sort(Comparator.comparingLong(FieldRange::start));
    return fields;
  }

  private WireBytes entries(ThinFiles.Place place, StoredTensor tensor) {
    long length = tensor.source().orElseThrow().length();
    return new WireBytes()
        .bytes(EXTERNAL_DATA, entry("location", locations.apply(place.source())))
        .bytes(EXTERNAL_DATA, entry("offset", Long.toString(place.offset())))
        .bytes(EXTERNAL_DATA, entry("length", Long.toString(length)));
  }

  private static byte[] entry(String key, String value) {
    return new WireBytes().string(1, key).string(2, value).toByteArray();
  }

  private static void replace(
      WirePatch wire, StoredTensor tensor, List<FieldRange> old, WireBytes by) {
    Optional<FieldRange> first = old.stream().findFirst();
    MessageSpan span = tensor.span();
    wire.replace(
        span, first.orElseGet(() -> FieldRange.endOf(span)), Piece.Literal.of(by.toByteArray()));
    old.stream().skip(1).forEach(rest -> wire.replace(span, rest));
  }
}
