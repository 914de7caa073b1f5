package dev.graft.fold;

import dev.graft.match.Layout;
import dev.graft.tensor.DType;
import java.util.List;

/**
 * What an undo record says of itself: how every byte of the base's files is had from the merged
 * ones and from the record. Offsets are bytes from the start of the file they are for.
 *
 * @param merge the number of the merge that it takes back, as in the metadata's key
 * @param provenanceSha256 of the merge's entry in the model's metadata
 * @param merged the merged files, the model first, under an empty location
 * @param base the base's files, the model first, under an empty location
 * @param tensors what was changed in place
 * @param literals the base's bytes that the merged files do not have, one run behind the other
 * @param adapter the tensors that were added
 * @param earlier the record of the base itself, where there was one
 */
record UndoIndex(
    int merge,
    String provenanceSha256,
    List<MergedFile> merged,
    List<BaseFile> base,
    List<TensorEntry> tensors,
    Literals literals,
    AdapterEntry adapter,
    Run earlier) {

  /** The base's bytes come from a merged file: which, offset and length. */
  static final long COPIED = 0;

  /** From a tensor: its number. */
  static final long TENSOR = 1;

  /** From the literals, in order: how many. */
  static final long LITERAL = 2;

  /**
   * A run of bytes of the record.
   *
   * @param offset where
   * @param length how many; 0 where there is none
   */
  record Run(long offset, long length) {}

  /**
   * A merged file.
   *
   * @param location as the merged model names it
   * @param length in bytes
   */
  record MergedFile(String location, long length) {}

  /**
   * A file of the base.
   *
   * @param location as the base names it
   * @param length in bytes
   * @param pieces what it consists of, in order: a kind and what goes with it
   */
  record BaseFile(String location, long length, List<List<Long>> pieces) {}

  /**
   * Bytes that are kept deflated, in steps of {@value #STEP}.
   *
   * @param offset where the first step begins
   * @param length bytes of all
   * @param stored the deflated length of each step
   */
  record Literals(long offset, long length, List<Integer> stored) {
    static final int STEP = 1 << 16;
  }

  /**
   * A tensor that was changed in place.
   *
   * @param name for messages
   * @param dtype its element type
   * @param rowLength by which rows it was changed
   * @param kind how its old values are kept
   * @param place where its new bytes lie
   * @param before SHA-256 of its old bytes
   * @param parts what was added
   * @param kept what was kept
   */
  record TensorEntry(
      String name,
      DType dtype,
      int rowLength,
      UndoKind kind,
      Place place,
      String before,
      List<PartEntry> parts,
      Kept kept) {}

  /**
   * Where a tensor lies.
   *
   * @param file which merged file
   * @param offset where it begins
   * @param length bytes
   */
  record Place(int file, long offset, long length) {}

  /**
   * What was kept of a tensor.
   *
   * @param offset where its runs begin, one behind the other
   * @param runs the lengths of both parts of each run
   * @param factors the vectors of factors, float32, of the parts that have one, in order
   */
  record Kept(long offset, List<Integer> runs, List<Run> factors) {}

  /**
   * Something that was added.
   *
   * @param kind {@code lora}, {@code dora}, {@code experts} or {@code shift}
   * @param a number of the adapter's tensor A; for a shift that of the vector
   * @param b number of B, −1 for a shift
   * @param blocks how many blocks A and B have; for experts how many there are and the stored rows
   *     of one
   * @param outputs the first of the outputs that count, and how many
   * @param scaleBits the factor, as the bits of a float32
   * @param layout how the stored weight is turned
   * @param axis which way the tensor is cut
   * @param region the first row or column that is changed, and how many
   */
  record PartEntry(
      String kind,
      int a,
      int b,
      List<Long> blocks,
      List<Long> outputs,
      int scaleBits,
      Layout layout,
      Region.Axis axis,
      List<Long> region) {}

  /**
   * The adapter.
   *
   * @param name its folder's name
   * @param sha256 of its files
   * @param stored whether the record holds its tensors
   * @param tensors those that were added
   */
  record AdapterEntry(String name, String sha256, boolean stored, List<AdapterTensor> tensors) {}

  /**
   * A tensor of the adapter.
   *
   * @param name its key
   * @param dtype its element type
   * @param shape its dimensions
   * @param offset where its bytes begin in the record, if they are there
   */
  record AdapterTensor(String name, DType dtype, List<Long> shape, long offset) {}
}
