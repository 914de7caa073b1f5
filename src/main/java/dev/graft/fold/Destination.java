package dev.graft.fold;

import dev.graft.fold.CarriedFiles.Carried;
import dev.graft.io.OutputFile;
import dev.graft.onnx.FilePlan;
import dev.graft.onnx.OnnxModel;
import java.nio.file.Path;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.Supplier;

/** Where the files of a merged model go: into new ones, or into the places of those that it has. */
interface Destination {

  /** The path that the model file has, or will have. */
  Path model();

  /**
   * The location for each of the base's data files.
   *
   * @param base what is merged into
   * @param hash of everything that determines the content
   */
  SequencedMap<String, String> names(OnnxModel base, Supplier<String> hash);

  /** Data files of an older output, as soon as the new names are known. */
  List<Path> older(MergePlan plan, UndoPolicy undo, List<String> names);

  /**
   * Queues what is to be written.
   *
   * @param files plans by location, the model's own under an empty one
   * @param sources the files that the plans copy from
   */
  void add(SequencedMap<String, FilePlan> files, SourceFiles sources, PlanWriter writer);

  /** All that was queued has been written. */
  void written();

  /** A file for the undo record. */
  OutputFile record();

  /** A file that is needed only meanwhile. */
  OutputFile scratch();

  /** Lets config and tokenizer files go along, and what is older go. */
  Carried complete(CarriedFiles carried, List<Path> older);

  /** The model file and its data files. */
  List<Path> paths();

  /** Bytes written for them. */
  long bytesWritten();
}
