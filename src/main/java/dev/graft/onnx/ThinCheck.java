package dev.graft.onnx;

import dev.graft.error.FormatException;
import dev.graft.io.ExternalLocation;
import dev.graft.io.InputFile;
import dev.graft.io.OpenFile;
import dev.graft.io.Progress;
import dev.graft.io.Sha256;
import dev.graft.onnx.ThinRecord.BaseFile;
import dev.graft.onnx.ThinRecord.Witness;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Holds a thin model to its base: the lengths of all files, the hash of the base's graph, and the
 * hash of one tensor of each file that the merge has read, which tells a base apart that was
 * trained further.
 */
final class ThinCheck {

  private final Path thin;
  private final ThinRecord record;
  private final Path folder;

  ThinCheck(Path thin, ThinRecord record) {
    this.thin = thin;
    this.record = record;
    this.folder = Optional.ofNullable(thin.toAbsolutePath().getParent()).orElse(thin);
  }

  /**
   * Checks.
   *
   * @throws FormatException if anything is not as it was when the model was made
   */
  void run() {
    List<InputFile> files = new ArrayList<>();
    try {
      open(files);
      requireSkeleton(files);
      record.witnesses().forEach(witness -> requireWitness(witness, files));
      try (InputFile own = ExternalLocation.open(folder, record.data().location(), context())) {
        requireLength(own, record.data().length());
      }
    } finally {
      files.forEach(OpenFile::close);
    }
  }

  private void open(List<InputFile> files) {
    files.add(ExternalLocation.open(folder, record.base().location(), context()));
    requireLength(files.getFirst(), record.base().length());
    for (BaseFile file : record.base().files()) {
      files.add(ExternalLocation.open(folder, file.location(), context()));
      requireLength(files.getLast(), file.length());
    }
  }

  private void requireLength(InputFile file, long expected) {
    if (file.size() != expected) {
      throw replaced("%s has %,d bytes, not %,d".formatted(file.path(), file.size(), expected));
    }
  }

  private void requireSkeleton(List<InputFile> files) {
    // Without this very check: a forged record could make a file its own base.
    OnnxModel base = OnnxModel.open(ModelFiles.at(files.getFirst().path()));
    String found = Skeleton.sha256(base, files.getFirst());
    if (!found.equals(record.base().skeletonSha256())) {
      throw replaced(
          "the graph of %s has the SHA-256 %s, not %s"
              .formatted(base.path(), found, record.base().skeletonSha256()));
    }
    List<Path> named = base.dataFiles().values().stream().distinct().toList();
    List<Path> recorded = files.stream().skip(1).map(InputFile::path).toList();
    if (!named.equals(recorded)) {
      throw replaced("%s has the data files %s, not %s".formatted(base.path(), named, recorded));
    }
  }

  private void requireWitness(Witness witness, List<InputFile> files) {
    if (witness.file() < 0 || witness.file() >= files.size()) {
      throw new FormatException(
          "%s: its record names file %d of a base with %d; the model is damaged"
              .formatted(thin, witness.file(), files.size()));
    }
    InputFile file = files.get(witness.file());
    ExternalLocation.checkRange(file, witness.offset(), witness.length(), context());
    String found = Sha256.of(file, witness.offset(), witness.length(), Progress.NONE);
    if (!found.equals(witness.sha256())) {
      throw replaced(
          "the %,d bytes at %,d of %s have the SHA-256 %s, not %s"
              .formatted(witness.length(), witness.offset(), file.path(), found, witness.sha256()));
    }
  }

  private String context() {
    return thin + ": the thin model's record";
  }

  private FormatException replaced(String how) {
    return new FormatException(
        thin
            + ": a file under this thin model is not the one that it was made from: "
            + how
            + "; put it back, or merge again with --share-base");
  }
}
