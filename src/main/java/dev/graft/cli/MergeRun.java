package dev.graft.cli;

import dev.graft.fold.InPlaceUpdate;
import dev.graft.fold.Merge;
import dev.graft.fold.MergePlan;
import dev.graft.fold.MergeRequest;
import dev.graft.fold.MergeSet;
import dev.graft.fold.Provenance.TensorRecord;
import dev.graft.fold.RestoredBase;
import dev.graft.fold.ThinMerge;
import dev.graft.fold.UndoPolicy;
import dev.graft.inject.HeldAdapter;
import dev.graft.match.BoundTarget;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A merge that was planned, and carried out unless nothing was to be written.
 *
 * @param plan the plan
 * @param result what was written
 * @param nanos how long it all took
 */
record MergeRun(MergePlan plan, Optional<Merge.Result> result, long nanos) {

  /** How many threads fold and copy unless told otherwise; a disk is busy with fewer. */
  static final int MOST_THREADS = 8;

  /** Name and version of this program, as provenance has it. */
  static String tool() {
    return "graft " + BuildVersion.current();
  }

  static int defaultThreads() {
    return Math.min(MOST_THREADS, Runtime.getRuntime().availableProcessors());
  }

  /**
   * Plans merges of one adapter.
   *
   * @param requests one for each file of the model
   */
  static List<MergeRun> planned(List<MergeRequest> requests) {
    long started = System.nanoTime();
    List<MergePlan> plans = MergePlan.of(requests);
    long nanos = System.nanoTime() - started;
    return plans.stream().map(plan -> new MergeRun(plan, Optional.empty(), nanos)).toList();
  }

  /**
   * How the work is done.
   *
   * @param doing what the progress bar says
   * @param threads how many threads
   * @param undo what is kept for taking it back
   */
  record Effort(String doing, int threads, UndoPolicy undo) {}

  /**
   * Plans the merge of an adapter in the place of the last one.
   *
   * @param request what to merge; its model is the merged one
   * @param base what it was merged into
   */
  static MergeRun planned(MergeRequest request, RestoredBase base) {
    long started = System.nanoTime();
    MergePlan plan = MergePlan.of(request, base);
    return new MergeRun(plan, Optional.empty(), System.nanoTime() - started);
  }

  /**
   * Plans the fold of an adapter that the model holds as branches.
   *
   * @param request what to merge; the adapter's folder is made
   * @param held the branches
   */
  static MergeRun planned(MergeRequest request, HeldAdapter held) {
    long started = System.nanoTime();
    MergePlan plan = held.plan(request);
    return new MergeRun(plan, Optional.empty(), System.nanoTime() - started);
  }

  /** Carries a plan out, in the model's own files if there is the right to. */
  static MergeRun done(MergeRun planned, Optional<InPlaceUpdate> update, Verb verb, Effort effort) {
    if (update.isEmpty()) {
      return done(List.of(planned), verb, effort).getFirst();
    }
    long started = System.nanoTime();
    try (ProgressBar bar = verb.progress(effort.doing(), planned.plan.touchedBytes())) {
      Merge.Result written =
          new Merge(planned.plan, tool(), bar, effort.undo()).run(update.get(), effort.threads());
      long nanos = planned.nanos + System.nanoTime() - started;
      return new MergeRun(planned.plan, Optional.of(written), nanos);
    }
  }

  /** Carries the plans out, all or none. */
  static List<MergeRun> done(List<MergeRun> planned, Verb verb, Effort effort) {
    long started = System.nanoTime();
    long bytes = planned.stream().mapToLong(r -> r.plan.baseBytes() + r.plan.addedBytes()).sum();
    try (ProgressBar bar = verb.progress(effort.doing(), bytes)) {
      List<Merge> merges =
          planned.stream().map(r -> new Merge(r.plan, tool(), bar, effort.undo())).toList();
      return with(planned, new MergeSet(merges).run(effort.threads()), started);
    }
  }

  /** Carries the plans out as thin models on their bases, all or none. */
  static List<MergeRun> thin(List<MergeRun> planned, Verb verb, int threads) {
    long started = System.nanoTime();
    long bytes = planned.stream().mapToLong(r -> r.plan.touchedBytes() + r.plan.addedBytes()).sum();
    try (ProgressBar bar = verb.progress("merging", bytes)) {
      List<ThinMerge> merges =
          planned.stream().map(r -> new ThinMerge(new Merge(r.plan, tool(), bar))).toList();
      return with(planned, ThinMerge.run(merges, threads), started);
    }
  }

  private static List<MergeRun> with(
      List<MergeRun> planned, List<Merge.Result> written, long started) {
    List<MergeRun> done = new ArrayList<>();
    for (int i = 0; i < planned.size(); i++) {
      MergeRun run = planned.get(i);
      long nanos = run.nanos + System.nanoTime() - started;
      done.add(new MergeRun(run.plan, Optional.of(written.get(i)), nanos));
    }
    return done;
  }

  /**
   * Refuses a place where no thin model can lie.
   *
   * @throws dev.graft.error.UsageException if the output is elsewhere than the base or above it
   */
  void requirePlaceForThin() {
    ThinMerge.requirePlace(plan);
  }

  /** The files that were written, named the way the output was given. */
  List<Path> outputs() {
    List<Path> written = new ArrayList<>(result.map(Merge.Result::output).orElse(List.of()));
    result.flatMap(Merge.Result::undo).ifPresent(undo -> written.add(undo.path()));
    return written.stream()
        .map(file -> plan.request().output().resolveSibling(file.getFileName()))
        .toList();
  }

  /** What to know about the adapter and the places where it goes. */
  List<String> warnings() {
    List<String> warnings = new ArrayList<>(plan.adapter().warnings());
    warnings.addAll(plan.binding().warnings());
    return warnings;
  }

  /** Where every target went, with the hashes if anything was written. */
  List<BoundEntry> sites() {
    return plan.binding().bound().stream().map(this::site).toList();
  }

  private BoundEntry site(BoundTarget target) {
    BoundEntry entry = BoundEntry.of(target, plan.request().weight());
    return result
        .map(r -> entry.with(hashes(r.provenance().tensors().get(plan.tensorOf(target)))))
        .orElse(entry);
  }

  private static BoundEntry.Hashes hashes(TensorRecord tensor) {
    return new BoundEntry.Hashes(tensor.before(), tensor.after());
  }
}
