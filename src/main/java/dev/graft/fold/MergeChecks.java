package dev.graft.fold;

import dev.graft.error.BindingException;
import dev.graft.error.UsageException;
import dev.graft.io.OutputGuard;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What is refused before a merge is planned. */
final class MergeChecks {

  private MergeChecks() {}

  static void requireWeight(MergeRequest request) {
    if (!Double.isFinite(request.weight()) || request.weight() == 0) {
      throw new UsageException(
          "the adapter's weight is "
              + request.weight()
              + ", expected a finite number other than 0");
    }
  }

  /**
   * An adapter that is there already, and an output that is one of the inputs.
   *
   * @param all the files of the model, of which the base is one
   */
  static void check(MergeBase base, MergePlan.Opened opened, List<MergeBase> all) {
    requireNew(base, opened);
    List<Path> inputs = new ArrayList<>(opened.adapter().files());
    for (MergeBase other : all) {
      inputs.addAll(other.files());
    }
    if (base.request().place() == MergeRequest.Place.APART) {
      OutputGuard.check(inputs, base.request().output());
    }
  }

  private static void requireNew(MergeBase base, MergePlan.Opened opened) {
    if (base.request().repeat() == MergeRequest.Repeat.ALLOWED) {
      return;
    }
    for (Provenance record : base.earlier()) {
      String sha256 = opened.sha256().get();
      if (record.adapter().sha256().equals(sha256)) {
        throw new BindingException(
            "%s holds the adapter '%s' already (SHA-256 %s); --again folds it in a second time"
                .formatted(base.model().path(), record.adapter().name(), sha256));
      }
    }
  }
}
