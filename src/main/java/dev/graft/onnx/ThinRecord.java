package dev.graft.onnx;

import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.StringStringEntryProto;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.core.JacksonException;

/**
 * What a thin model says of itself: on which base it lies, and how every byte of the model that
 * stands alone is had from the base's files and its own data file. It is JSON in the metadata under
 * {@value #KEY}. Locations are relative to the thin model's folder, offsets and lengths in bytes.
 *
 * @param schema version of the record
 * @param base the base
 * @param data the model's own data file
 * @param witnesses of each file of the base that the merge changes a tensor of, the smallest one
 * @param layout the files of the model that stands alone, the model first, under an empty location,
 *     its data files under the names that the base has for them
 */
public record ThinRecord(
    int schema, BaseModel base, OwnData data, List<Witness> witnesses, List<FileLayout> layout) {

  /** The metadata's key. */
  public static final String KEY = "graft.thin";

  /** The version that this program writes. */
  public static final int SCHEMA = 1;

  /** Bytes of a file of the base: which, 0 being the model file; offset, length. */
  public static final long BASE = 0;

  /** Bytes of the own data file: offset, length, and which tensor of the merge, or -1 for none. */
  public static final long OWN = 1;

  /** What the model's metadata says of the merge: length. */
  public static final long PROVENANCE = 2;

  /**
   * A base.
   *
   * @param location of the model file
   * @param length of the model file
   * @param skeletonSha256 of the model file without its weights
   * @param files its data files
   */
  public record BaseModel(
      String location, long length, String skeletonSha256, List<BaseFile> files) {}

  /**
   * A data file of the base.
   *
   * @param name as the base has it
   * @param location as the thin model has it
   * @param length of the file
   */
  public record BaseFile(String name, String location, long length) {}

  /**
   * The data file that only this model has: new tensors first, then bytes of the graph.
   *
   * @param location its name
   * @param length of the file
   * @param literalsOffset where the tensors end
   * @param literalsSha256 of what comes behind
   */
  public record OwnData(String location, long length, long literalsOffset, String literalsSha256) {}

  /**
   * Bytes of the base that the merge has read.
   *
   * @param file which file, 0 being the model file
   * @param offset where
   * @param length how many
   * @param sha256 their hash
   */
  public record Witness(int file, long offset, long length, String sha256) {}

  /**
   * A file of the model that stands alone.
   *
   * @param location as the base has it
   * @param pieces what it consists of, in order: a kind and what goes with it
   */
  public record FileLayout(String location, List<List<Long>> pieces) {}

  /**
   * The record of a model, if it is a thin one.
   *
   * @throws FormatException if there is one that cannot be read
   */
  public static Optional<ThinRecord> of(OnnxModel model) {
    return of(model.path(), model.proto());
  }

  static Optional<ThinRecord> of(Path path, ModelProto model) {
    Optional<String> json = Optional.empty();
    for (StringStringEntryProto entry : model.getMetadataPropsList()) {
      if (entry.getKey().equals(KEY)) {
        json = Optional.of(entry.getValue());
      }
    }
    return json.map(text -> read(path, text));
  }

  private static ThinRecord read(Path path, String json) {
    ThinRecord record;
    try {
      record = ThinRecordJson.read(json);
    } catch (JacksonException e) {
      throw new FormatException(
          "%s: the metadata '%s' is not a record of this tool: %s"
              .formatted(path, KEY, e.getOriginalMessage()),
          e);
    }
    if (record == null || record.schema() != SCHEMA) {
      throw new UnsupportedException(
          "%s: the metadata '%s' has the version %s, this program knows %d; use the version of Graft that made it"
              .formatted(path, KEY, record == null ? "null" : record.schema(), SCHEMA));
    }
    return record;
  }

  /** The record in one line of UTF-8. */
  public byte[] json() {
    return ThinRecordJson.write(this);
  }

  /** The same with the hashes of the witnesses, as long as the one before. */
  public ThinRecord witnessed(List<String> sha256) {
    List<Witness> known = new ArrayList<>();
    for (int i = 0; i < witnesses.size(); i++) {
      Witness w = witnesses.get(i);
      known.add(new Witness(w.file(), w.offset(), w.length(), sha256.get(i)));
    }
    return new ThinRecord(schema, base, data, known, layout);
  }
}
