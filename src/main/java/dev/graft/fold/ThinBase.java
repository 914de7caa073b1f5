package dev.graft.fold;

import dev.graft.error.FormatException;
import dev.graft.error.UsageException;
import dev.graft.io.ExternalLocation;
import dev.graft.io.InputFile;
import dev.graft.io.OpenFile;
import dev.graft.io.Progress;
import dev.graft.io.Sha256;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.ThinFiles;
import dev.graft.onnx.ThinRecord;
import dev.graft.onnx.ThinRecord.BaseFile;
import dev.graft.onnx.ThinRecord.FileLayout;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A thin model with its base, both open. */
public final class ThinBase implements AutoCloseable {

  private final OnnxModel thin;
  private final ThinRecord record;
  private final Provenance provenance;
  private final List<InputFile> base = new ArrayList<>();
  private final List<InputFile> own = new ArrayList<>();

  private ThinBase(OnnxModel thin, ThinRecord record) {
    this.thin = thin;
    this.record = record;
    List<Provenance> merges = Provenance.of(thin);
    if (merges.isEmpty()) {
      throw damaged("it holds no merge");
    }
    this.provenance = merges.getLast();
    try {
      base.add(open(record.base().location()));
      for (BaseFile file : record.base().files()) {
        base.add(open(file.location()));
      }
      own.add(open(record.data().location()));
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /**
   * Opens a thin model and checks that its base is the one that it was made from.
   *
   * @throws UsageException if the model is no thin one
   * @throws FormatException if it is damaged, or its base was replaced
   */
  public static ThinBase open(Path model) {
    OnnxModel thin = OnnxModel.open(model);
    ThinRecord record =
        ThinRecord.of(thin)
            .orElseThrow(() ->
                new UsageException(
                    model
                        + ": is no thin model, as merge --share-base writes them; it stands alone already"));
    return new ThinBase(thin, record);
  }

  /**
   * The file of a thin model's base; empty for any other model.
   *
   * @throws FormatException as {@link #open}
   */
  public static Optional<Path> pathUnder(Path model) {
    OnnxModel thin = OnnxModel.open(model);
    return ThinRecord.of(thin).map(record -> beside(model, record.base().location()));
  }

  /** A location as a path beside the model as it was given. */
  private static Path beside(Path model, String location) {
    return model.resolveSibling(location);
  }

  private InputFile open(String location) {
    return ExternalLocation.open(folder(), location, thin.path() + ": the thin model's record");
  }

  private Path folder() {
    Path path = thin.path().toAbsolutePath();
    return Optional.ofNullable(path.getParent()).orElse(path);
  }

  private FormatException damaged(String how) {
    return new FormatException(
        thin.path()
            + ": what the thin model says of itself does not fit: "
            + how
            + "; it is damaged");
  }

  /** Every file that is read, for as long as this is open. */
  public List<Path> inputs() {
    List<Path> inputs = new ArrayList<>(List.of(thin.path()));
    base.forEach(file -> inputs.add(file.path()));
    inputs.add(data().path());
    return inputs;
  }

  /** The merge that made it. */
  public Provenance provenance() {
    return provenance;
  }

  /** Bytes of the model that stands alone. */
  public long bytes() {
    return record.base().length()
        + record.base().files().stream().mapToLong(BaseFile::length).sum()
        + data().size();
  }

  private InputFile data() {
    return own.getFirst();
  }

  /** The model that stands alone. */
  OnnxModel whole() {
    int merges = Provenance.of(thin).size();
    String json = String.valueOf(thin.metadata().get(Provenance.KEY + merges));
    MemorySegment bytes = MemorySegment.ofArray(json.getBytes(StandardCharsets.UTF_8));
    ThinFiles.Sources sources = new ThinFiles.Sources(base, data(), bytes);
    return OnnxModel.open(new ThinFiles(thin.path(), record, sources));
  }

  /**
   * Hashes the model's own data: every tensor of it must be what the merge made, and so must the
   * bytes with which it changes the graph.
   *
   * @throws FormatException if something is not
   */
  void requireOwn(Progress progress) {
    for (FileLayout file : record.layout()) {
      for (List<Long> piece : file.pieces()) {
        if (piece.size() == 4 && piece.getFirst() == ThinRecord.OWN && piece.get(3) >= 0) {
          requireTensor(piece, progress);
        }
      }
    }
    long offset = record.data().literalsOffset();
    long length = data().size() - offset;
    if (offset < 0 || length < 0) {
      throw damaged("its graph's bytes begin at " + offset);
    }
    require(
        "the bytes behind " + offset,
        record.data().literalsSha256(),
        Sha256.of(data(), offset, length, progress));
  }

  private void requireTensor(List<Long> piece, Progress progress) {
    int number = Math.toIntExact(Math.min(piece.get(3), Integer.MAX_VALUE));
    if (number >= provenance.tensors().size()) {
      throw damaged("it has no tensor " + number);
    }
    Provenance.TensorRecord tensor = provenance.tensors().get(number);
    ExternalLocation.checkRange(
        data(), piece.get(1), piece.get(2), thin.path() + ": tensor '" + tensor.name() + "'");
    require(
        "tensor '" + tensor.name() + "'",
        tensor.after(),
        Sha256.of(data(), piece.get(1), piece.get(2), progress));
  }

  private void require(String what, String expected, String found) {
    if (!found.equals(expected)) {
      throw new FormatException(
          "%s: %s in %s was changed since the merge: SHA-256 %s, not %s; merge again with --share-base"
              .formatted(thin.path(), what, data().path(), found, expected));
    }
  }

  /** Bytes read so far. */
  long bytesRead() {
    return base.stream().mapToLong(InputFile::bytesRead).sum() + data().bytesRead();
  }

  @Override
  public void close() {
    base.forEach(OpenFile::close);
    own.forEach(OpenFile::close);
  }
}
