package dev.graft.fold;

import dev.graft.graph.ModelGraph;
import dev.graft.io.InputFile;
import dev.graft.match.SiteIndex;
import dev.graft.onnx.OnnxModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A model that is to be merged into.
 *
 * @param request what to merge
 * @param model its files
 * @param graph who makes and who reads its values
 * @param sites where its weights are
 * @param earlier the merges that it holds, oldest first
 * @param restored what it is read from, if it is no file of its own
 * @param branchless how it came about, if it is a model with branches that is seen without them
 */
record MergeBase(
    MergeRequest request,
    OnnxModel model,
    ModelGraph graph,
    SiteIndex sites,
    List<Provenance> earlier,
    Optional<RestoredBase> restored,
    Optional<BranchlessBase> branchless) {

  /** The model that was asked for. */
  static MergeBase open(MergeRequest request) {
    return of(request, OnnxModel.open(request.model()), Optional.empty());
  }

  /** What the model that was asked for was merged into. */
  static MergeBase of(MergeRequest request, RestoredBase restored) {
    return of(request, OnnxModel.open(restored), Optional.of(restored));
  }

  /** What the model that was asked for is without its branches. */
  static MergeBase of(MergeRequest request, BranchlessBase branchless) {
    MergeBase plain = of(request, branchless.seen(), Optional.empty());
    return new MergeBase(
        request,
        plain.model(),
        plain.graph(),
        plain.sites(),
        plain.earlier(),
        Optional.empty(),
        Optional.of(branchless));
  }

  private static MergeBase of(
      MergeRequest request, OnnxModel model, Optional<RestoredBase> restored) {
    ModelGraph graph = ModelGraph.of(model);
    return new MergeBase(
        request,
        model,
        graph,
        SiteIndex.of(graph),
        Provenance.of(model),
        restored,
        Optional.empty());
  }

  /** Every file that is read for it. */
  List<Path> files() {
    if (restored.isPresent()) {
      return restored.get().inputs();
    }
    List<Path> files = new ArrayList<>(List.of(model.path()));
    files.addAll(model.dataFiles().values());
    return files;
  }

  /** Its length with its data files. */
  long bytes() {
    return restored
        .map(RestoredBase::bytes)
        .orElseGet(() -> files().stream().mapToLong(MergeBase::length).sum());
  }

  private static long length(Path file) {
    try (InputFile open = InputFile.open(file)) {
      return open.size();
    }
  }
}
