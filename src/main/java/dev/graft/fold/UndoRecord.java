package dev.graft.fold;

import dev.graft.error.FormatException;
import dev.graft.error.GraftException;
import dev.graft.error.RuntimeFailure;
import dev.graft.error.UsageException;
import dev.graft.io.Sha256;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.ThinRecord;
import dev.graft.undo.RecordReader;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import tools.jackson.core.JacksonException;

/** The record beside a merged model, which belongs to it. */
final class UndoRecord implements AutoCloseable {

  private final RecordReader reader;
  private final UndoIndex index;
  private final Provenance provenance;

  private UndoRecord(RecordReader reader, UndoIndex index, Provenance provenance) {
    this.reader = reader;
    this.index = index;
    this.provenance = provenance;
  }

  /** Where the record of a model lies. */
  static Path pathFor(Path model) {
    return model.resolveSibling(model.getFileName() + ".undo");
  }

  /**
   * Where a record lies whose model has been put in place, while an older one still has its name:
   * only after a crash at that very moment.
   */
  static Path freshPathFor(Path model) {
    return model.resolveSibling(model.getFileName() + ".undo.new");
  }

  /**
   * Opens the record of a merged model.
   *
   * @throws FormatException if there is none, it is damaged or belongs to another model
   */
  static UndoRecord open(OnnxModel merged) {
    List<Provenance> merges = Provenance.of(merged);
    if (merges.isEmpty()) {
      throw new FormatException(
          merged.path() + ": holds no merge of Graft's; there is nothing to take back");
    }
    ThinRecord.of(merged)
        .ifPresent(thin -> {
          throw new UsageException(
              "%s: is a thin model and needs no record: its base is there itself: %s"
                  .formatted(merged.path(), merged.path().resolveSibling(thin.base().location())));
        });
    Path fresh = freshPathFor(merged.path());
    if (Files.exists(fresh)) {
      try {
        return open(merged, merges, fresh);
      } catch (GraftException e) {
        // It is that of a model which never got its name.
        return open(merged, merges, pathFor(merged.path()));
      }
    }
    return open(merged, merges, pathFor(merged.path()));
  }

  /**
   * Finishes what a crash has left undone: a record under its fresh name gets its own if the model
   * in place is the one that it belongs to, and goes otherwise.
   */
  static void settle(Path model) {
    Path fresh = freshPathFor(model);
    if (!Files.exists(fresh)) {
      return;
    }
    try {
      if (belongs(model, fresh)) {
        Files.move(
            fresh,
            pathFor(model),
            StandardCopyOption.ATOMIC_MOVE,
            StandardCopyOption.REPLACE_EXISTING);
      } else {
        Files.delete(fresh);
      }
    } catch (IOException e) {
      throw new RuntimeFailure(
          fresh + ": an unfinished undo record cannot be put away: " + e.getMessage(), e);
    }
  }

  private static boolean belongs(Path model, Path record) {
    try {
      OnnxModel merged = OnnxModel.open(model);
      open(merged, Provenance.of(merged), record).close();
      return true;
    } catch (GraftException e) {
      return false;
    }
  }

  private static UndoRecord open(OnnxModel merged, List<Provenance> merges, Path path) {
    if (!Files.exists(path)) {
      throw new FormatException(
          "%s: there is no undo record %s; taking the merge back needs the one that was written beside the model, since subtraction alone leaves rounding behind; put it there or merge again from the base"
              .formatted(merged.path(), path));
    }
    RecordReader reader = RecordReader.open(path);
    try {
      UndoIndex index = index(reader);
      requireOf(merged, merges.size(), path, index);
      UndoIndexCheck.check(index, reader);
      return new UndoRecord(reader, index, merges.getLast());
    } catch (RuntimeException e) {
      reader.close();
      throw e;
    }
  }

  private static UndoIndex index(RecordReader reader) {
    try {
      return Optional.ofNullable(UndoIndexJson.read(reader.index()))
          .orElseThrow(() -> reader.damaged("it has no index"));
    } catch (JacksonException e) {
      throw reader.damaged("its index cannot be read: " + e.getOriginalMessage());
    }
  }

  private static void requireOf(OnnxModel merged, int merges, Path path, UndoIndex index) {
    String json = merged.metadata().get(Provenance.KEY + merges);
    if (index.merge() != merges || !index.provenanceSha256().equals(sha256(String.valueOf(json)))) {
      throw new FormatException(
          "%s: the undo record %s is of another model, or of another merge into this one; put the one that was written beside the model next to it"
              .formatted(merged.path(), path));
    }
  }

  /** The hash by which a record knows its model. */
  static String sha256(String provenance) {
    Sha256 hash = new Sha256();
    hash.update(MemorySegment.ofArray(provenance.getBytes(StandardCharsets.UTF_8)));
    return hash.hex();
  }

  RecordReader reader() {
    return reader;
  }

  UndoIndex index() {
    return index;
  }

  /** What the model says of the merge. */
  Provenance provenance() {
    return provenance;
  }

  /** The record that the base had, if it had one. */
  Optional<UndoIndex.Run> earlier() {
    return Optional.of(index.earlier()).filter(run -> run.length() > 0);
  }

  @Override
  public void close() {
    reader.close();
  }
}
