package dev.graft.cli;

import dev.graft.cli.MergeRun.Effort;
import dev.graft.error.FormatException;
import dev.graft.fold.MergeRequest;
import dev.graft.fold.RestoredBase;
import dev.graft.fold.UndoPolicy;
import dev.graft.fold.Unmerge;
import dev.graft.fold.Unmerge.Existing;
import dev.graft.io.Progress;
import dev.graft.onnx.NodePart;
import dev.graft.onnx.OnnxModel;
import dev.graft.runtime.SessionSettings;
import dev.graft.verify.Inputs;
import dev.graft.verify.OutputParity;
import dev.graft.verify.Parity;
import dev.graft.verify.ParityReport;
import dev.graft.verify.Reference;
import dev.graft.verify.Tolerance;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;

/** The main job on a real model: folds an adapter that PEFT trained, and proves it. */
@Command(
    name = "demo",
    description =
        "Folds a sentiment adapter that PEFT trained into the all-MiniLM-L6-v2 of Maven Central, and holds the"
            + " embeddings against those of PEFT's own merged model. Then takes it out again, and puts the adapter"
            + " of another task in its place.",
    customSynopsis = "graft demo [--json] [--quiet]",
    footer = "  graft demo")
final class DemoCommand extends Verb {

  private static final String MODEL = "target/models/minilm/all-minilm-l6-v2.onnx";
  private static final String ADAPTER = "testdata/minilm-sentiment";
  private static final String GOLDEN = "testdata/minilm-sentiment.golden.safetensors";
  private static final String OUTPUT = "target/demo/minilm-sentiment.onnx";
  private static final String OTHER_ADAPTER = "testdata/minilm-tweets";
  private static final String UNMERGED = "target/demo/unmerged.onnx";
  private static final String SWITCHED = "target/demo/switched/minilm-tweets.onnx";
  private static final String FRESH = "target/demo/fresh/minilm-tweets.onnx";

  /** The export itself, which others made, is 2.1e-5 from torch. */
  private static final double ATOL = 5e-5;

  DemoCommand(Screen screen) {
    super(screen);
  }

  @Override
  int execute() {
    Path home = home();
    Path base = existing(home.resolve(MODEL));
    Path golden = existing(home.resolve(GOLDEN));
    Path output = home.resolve(OUTPUT);
    MergeRequest request = MergeRequest.of(base, existing(home.resolve(ADAPTER)), output);
    List<MergeRun> planned = MergeRun.planned(List.of(request));
    MergeRun run =
        MergeRun.done(
                planned, this, new Effort("merging", MergeRun.defaultThreads(), UndoPolicy.KEPT))
            .getFirst();
    DemoReport report =
        new DemoReport(
            Json.SCHEMA,
            name(),
            MergeReport.of(run, name(), hashes(run)),
            List.of(
                check("base model against torch", parity(base, golden, "base")),
                check("merged model against PEFT", parity(output, golden, "merged"))),
            parity(base, golden, "merged").errors().maxAbs(),
            sameNodes(run.plan().model(), OnnxModel.open(output)),
            List.of(unmerge(home, base, output), change(home, base, output)));
    print(report, () -> new DemoText(screen().out()).print(report));
    return report.holds() ? Failure.OK : Failure.DOES_NOT_HOLD;
  }

  /** Takes the adapter out again. */
  private DemoReport.Same unmerge(Path home, Path base, Path merged) {
    Path output = home.resolve(UNMERGED);
    try (RestoredBase restored = RestoredBase.open(merged, Optional.empty())) {
      new Unmerge(restored, output, Existing.REPLACED, Progress.NONE)
          .run(MergeRun.defaultThreads());
    }
    return same("unmerged, against the base", output, base);
  }

  /** Puts the adapter of another task in its place, and merges that one into the base as well. */
  private DemoReport.Same change(Path home, Path base, Path merged) {
    Path adapter = existing(home.resolve(OTHER_ADAPTER));
    Path switched = home.resolve(SWITCHED);
    Effort effort = new Effort("switching", MergeRun.defaultThreads(), UndoPolicy.KEPT);
    try (RestoredBase restored = RestoredBase.open(merged, Optional.empty())) {
      MergeRequest request = MergeRequest.of(merged, adapter, switched);
      MergeRun.done(List.of(MergeRun.planned(request, restored)), this, effort);
    }
    MergeRequest request = MergeRequest.of(base, adapter, home.resolve(FRESH));
    MergeRun.done(MergeRun.planned(List.of(request)), this, effort);
    return same("switched to tweets, against a fresh merge", switched, request.output());
  }

  private static DemoReport.Same same(String what, Path found, Path expected) {
    return new DemoReport.Same(
        what,
        FileEntry.hashed(found, Progress.NONE).sha256().orElseThrow(),
        FileEntry.hashed(expected, Progress.NONE).sha256().orElseThrow());
  }

  private static Path home() {
    String set =
        Optional.ofNullable(System.getProperty("graft.home"))
            .or(() -> Optional.ofNullable(System.getenv("GRAFT_HOME")))
            .orElse("");
    Path home = Path.of(set).toAbsolutePath().normalize();
    Path here = Path.of("").toAbsolutePath();
    return home.startsWith(here) ? here.relativize(home) : home;
  }

  private static Path existing(Path path) {
    if (!Files.exists(path)) {
      throw new FormatException(
          path
              + ": the demo needs this file of the project's folder; run ./graft demo there, or set"
              + " GRAFT_HOME to that folder after ./mvnw package");
    }
    return path;
  }

  private static DemoReport.Check check(String what, OutputParity parity) {
    return new DemoReport.Check(what, parity.errors().maxAbs(), parity.atol(), parity.holds());
  }

  private static OutputParity parity(Path model, Path golden, String tensor) {
    Parity check = new Parity(SessionSettings.defaults(), new Tolerance(ATOL, ATOL, 0));
    ParityReport report =
        check.compare(
            model, new Reference.Stored(golden, Optional.of(tensor)), new Inputs.Stored(golden));
    return report.outputs().getFirst();
  }

  private MergeReport.Files hashes(MergeRun run) {
    try (ProgressBar bar = progress("hashing", 2 * run.plan().baseBytes())) {
      FileHashes hashes = new FileHashes(MergeRun.defaultThreads(), bar);
      return new MergeReport.Files(hashes.of(run.plan().inputs()), hashes.of(run.outputs()));
    }
  }

  /** Holds the bytes of every node against each other, in order. */
  private static DemoReport.Nodes sameNodes(OnnxModel base, OnnxModel merged) {
    List<NodePart> before = base.graph().nodes();
    List<NodePart> after = merged.graph().nodes();
    long same = 0;
    for (int i = 0; i < Math.min(before.size(), after.size()); i++) {
      same +=
          before.get(i).proto().toByteString().equals(after.get(i).proto().toByteString()) ? 1 : 0;
    }
    return new DemoReport.Nodes(same, Math.max(before.size(), after.size()));
  }
}
