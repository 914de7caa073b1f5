package dev.graft.cli;

import static dev.graft.cli.Table.left;
import static dev.graft.cli.Table.right;

import dev.graft.cli.AdapterReport.Config;
import dev.graft.cli.BoundEntry.RangeEntry;
import dev.graft.cli.ModelReport.NameEntry;
import dev.graft.cli.ModelReport.PartEntry;
import dev.graft.cli.ModelReport.SiteEntry;
import dev.graft.cli.ModelReport.TypeEntry;
import dev.graft.fold.Provenance;
import java.io.PrintWriter;
import java.util.List;
import java.util.stream.Collectors;

/** The report of {@code inspect} as text. */
final class InspectText {

  private static final String INDENT = "  ";

  private final PrintWriter out;

  InspectText(PrintWriter out) {
    this.out = out;
  }

  void print(InspectReport report) {
    report.model().ifPresent(this::model);
    report.adapter().ifPresent(this::adapter);
    report
        .binding()
        .ifPresentOrElse(this::binding, () -> report.model().ifPresent(m -> sites(m.sites())));
  }

  private void model(ModelReport model) {
    out.println("model " + model.file().path());
    Table facts = Table.of(left(""), left(""));
    facts.row("size", Figures.bytes(model.file().bytes()));
    for (FileEntry file : model.dataFiles()) {
      facts.row("data file", file.path() + ", " + Figures.bytes(file.bytes()));
    }
    String opsets =
        model.origin().opsets().entrySet().stream()
            .map(e -> e.getKey() + " " + e.getValue())
            .collect(Collectors.joining(", "));
    facts.row("format", "IR " + model.origin().irVersion() + ", opset " + opsets);
    facts.row("producer", orDash(model.origin().producer()));
    facts.row(
        "graph",
        Figures.count(model.nodes())
            + " nodes, "
            + Figures.count(model.initializers())
            + " initializers, "
            + model.sites().size()
            + " sites");
    for (TypeEntry type : model.tensors()) {
      facts.row("weights", weights(type));
    }
    if (!model.functions().isEmpty()) {
      facts.row("functions", model.functions().size() + ": " + shortened(model.functions()));
    }
    model.quantised().forEach((op, count) -> facts.row("quantised", count + " x " + op));
    for (Provenance merged : model.merged()) {
      facts.row("merged", merged(merged));
    }
    facts.print(out, INDENT);
    out.println();
  }

  private static String weights(TypeEntry type) {
    return "%s: %s values in %d tensors, %s"
        .formatted(
            type.dtype(),
            Figures.count(type.elements()),
            type.tensors(),
            Figures.bytes(type.bytes()));
  }

  private static String merged(Provenance record) {
    return "adapter '%s', weight %s, %d tensors, by %s (SHA-256 %s)"
        .formatted(
            record.adapter().name(),
            Figures.factor(record.adapter().weight()),
            record.tensors().size(),
            record.tool(),
            record.adapter().sha256());
  }

  private void sites(List<SiteEntry> sites) {
    Table table =
        Table.of(
            left("module"),
            left("rule"),
            left("kind"),
            left("operator"),
            left("weight"),
            left("shape"),
            left("layout"),
            left("dtype"),
            left("packs"));
    for (SiteEntry site : sites) {
      table.row(
          site.names().isEmpty() ? "-" : site.names().getFirst().module(),
          site.names().stream().findFirst().map(NameEntry::rule).orElse("-"),
          site.kind(),
          site.operator(),
          site.tensor().name(),
          site.tensor().shape().toString(),
          site.tensor().layout().orElse("-"),
          site.tensor().dtype(),
          orDash(site.parts().stream().map(PartEntry::toString).collect(Collectors.joining(", "))));
    }
    table.print(out, "");
  }

  private void adapter(AdapterReport adapter) {
    Config config = adapter.config();
    out.println("adapter " + adapter.path());
    Table facts = Table.of(left(""), left(""));
    String scales =
        adapter.scales().stream().map(Figures::factor).collect(Collectors.joining(", "));
    facts.row(
        "type",
        "%s, r %d, alpha %s, scale %s"
            .formatted(
                config.peftType(), config.r(), Figures.factor(config.loraAlpha()), orDash(scales)));
    facts.row("targets", orDash(shortened(config.targetModules())));
    if (!config.modulesToSave().isEmpty()) {
      facts.row("whole", shortened(config.modulesToSave()));
    }
    facts.row(
        "weights",
        "%s values in %d tensors for %d modules, %s"
            .formatted(
                Figures.count(adapter.parameters()),
                adapter.tensors(),
                adapter.modules(),
                String.join(", ", adapter.dtypes())));
    config.baseModel().ifPresent(base -> facts.row("trained on", base));
    config.taskType().ifPresent(task -> facts.row("task", task));
    adapter.findings().warnings().forEach(w -> facts.row("warning", w));
    adapter.findings().unknownFields().forEach(f -> facts.row("unknown", "the field '" + f + "'"));
    adapter.findings().refusals().forEach(r -> facts.row("no fold", r));
    facts.print(out, INDENT);
    out.println();
  }

  private void binding(BindingReport binding) {
    out.println("prefix: " + binding.prefix());
    out.println();
    if (!binding.bound().isEmpty()) {
      bound(binding.bound());
      out.println();
    }
    out.println(
        binding.boundTargets()
            + " of "
            + (binding.boundTargets() + binding.misses().size())
            + " targets are bound");
    binding.warnings().forEach(warning -> out.println("warning: " + warning));
    binding
        .misses()
        .forEach(miss -> {
          out.println("miss: " + miss.target());
          out.println(INDENT + miss.reason());
          if (!miss.nearest().isEmpty()) {
            out.println(INDENT + "nearest: " + String.join(", ", miss.nearest()));
          }
        });
  }

  private void bound(List<BoundEntry> entries) {
    Table table =
        Table.of(
            left("module"),
            left("kind"),
            left("rule"),
            left("node"),
            left("weight"),
            left("shape"),
            left("outputs"),
            left("layout"),
            left("dtype"),
            right("scale"),
            left("split"));
    for (BoundEntry entry : entries) {
      table.row(
          entry.target(),
          entry.kind(),
          entry.rule(),
          nodes(entry.nodes()),
          entry.tensor().name(),
          entry.tensor().shape().toString(),
          outputs(entry),
          entry.tensor().layout().orElse("-"),
          entry.tensor().dtype(),
          entry.scale().map(Figures::factor).orElse("-"),
          entry.split() ? "own copy" : "-");
    }
    table.print(out, "");
  }

  /** Which outputs of a packed weight, or which of a module that the file splits. */
  private static String outputs(BoundEntry entry) {
    return entry
        .outputs()
        .map(RangeEntry::toString)
        .or(() -> entry.targetOutputs().map(range -> "all, for " + range))
        .orElse("all");
  }

  private static String nodes(List<String> nodes) {
    return switch (nodes.size()) {
      case 0 -> "-";
      case 1 -> nodes.getFirst();
      default -> nodes.getFirst() + " and " + (nodes.size() - 1) + " more";
    };
  }

  private static String shortened(List<String> names) {
    int shown = 8;
    String list = names.stream().limit(shown).collect(Collectors.joining(", "));
    return names.size() <= shown ? list : list + " and " + (names.size() - shown) + " more";
  }

  private static String orDash(String text) {
    return text.isBlank() ? "-" : text;
  }
}
