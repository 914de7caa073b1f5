package dev.graft.fold;

import dev.graft.error.FormatException;
import dev.graft.onnx.OnnxModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JacksonException;

/**
 * What a merged model says of its making, one metadata entry for each adapter in it. No path and no
 * time: the same merge gives the same bytes anywhere.
 *
 * @param schema version of this record
 * @param tool name and version of the program
 * @param adapter what was folded in
 * @param base what it was folded into
 * @param tensors every tensor that changed or is new
 * @param graph what changed in the graph beside values; empty as a rule
 */
public record Provenance(
    int schema,
    String tool,
    AdapterRecord adapter,
    BaseRecord base,
    List<TensorRecord> tensors,
    List<GraphChange> graph) {

  /** Metadata keys are this and a number, counted from 1. */
  public static final String KEY = "graft.merge.";

  private static final int SCHEMA = 1;

  /**
   * An adapter.
   *
   * @param name its folder's name
   * @param sha256 of its files
   * @param weight the user's factor
   */
  public record AdapterRecord(String name, String sha256, double weight) {}

  /**
   * A base model.
   *
   * @param skeletonSha256 of the model file without its weights
   * @param dataFiles its external data
   */
  public record BaseRecord(String skeletonSha256, List<DataFileRecord> dataFiles) {}

  /**
   * A data file of the base.
   *
   * @param location its name in the base
   * @param length in bytes
   */
  public record DataFileRecord(String location, long length) {}

  /**
   * A tensor that changed.
   *
   * @param name its name in the file
   * @param parts what the adapter did to it; more than one where the file packs several modules
   *     into one weight
   * @param before SHA-256 of its bytes in the base; absent for one that the base did not have
   * @param after SHA-256 of its bytes in the output
   */
  public record TensorRecord(
      String name, List<PartRecord> parts, Optional<String> before, String after) {}

  /**
   * What one target of the adapter did to a tensor.
   *
   * @param target the adapter's name for it
   * @param kind {@code lora}, {@code dora}, {@code experts}, {@code shift} for a bias, {@code rows}
   *     or {@code whole}
   * @param scale the factor on B·A or on the bias of B; 0 where values were replaced
   */
  public record PartRecord(String target, String kind, double scale) {}

  /** What a merge changes. */
  record Changes(List<TensorRecord> tensors, List<GraphChange> graph) {}

  static Provenance of(String tool, AdapterRecord adapter, BaseRecord base, Changes changes) {
    return new Provenance(SCHEMA, tool, adapter, base, changes.tensors(), changes.graph());
  }

  byte[] json() {
    return ProvenanceJson.write(this);
  }

  /**
   * All records of a model, oldest first.
   *
   * @throws FormatException if one cannot be read
   */
  public static List<Provenance> of(OnnxModel model) {
    Map<String, String> metadata = model.metadata();
    List<Provenance> records = new ArrayList<>();
    for (int i = 1; ; i++) {
      String json = metadata.get(KEY + i);
      if (json == null) {
        return records;
      }
      try {
        records.add(ProvenanceJson.read(json));
      } catch (JacksonException e) {
        throw new FormatException(
            "%s: the metadata '%s%d' is not a record of this tool: %s"
                .formatted(model.path(), KEY, i, e.getOriginalMessage()),
            e);
      }
    }
  }
}
