package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.adapter.PeftAdapter;
import dev.graft.error.BindingException;
import dev.graft.graph.ModelGraph;
import dev.graft.onnx.OnnxModel;
import dev.graft.testing.Adapters;
import dev.graft.testing.Graphs;
import dev.graft.testing.Node;
import dev.graft.testing.Values;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model in several files: an encoder whose names lack their front, and decoders. */
class SetBinderTest {

  @TempDir Path folder;

  /** A file with linear layers of 4 inputs and outputs; a module's weight is the same in each. */
  private static final class File {
    private final Graphs graphs = Graphs.create().input("x", -1, 4);
    private int count;

    /** A layer. */
    File layer(String name, String module) {
      String weight = "w" + count;
      String output = "y" + count++;
      graphs
          .weight(weight, Values.random(module.hashCode(), 4, 4))
          .node(
              Node.of("MatMul", "x", weight)
                  .to(output)
                  .named("/" + name.replace('.', '/') + "/MatMul"))
          .output(output, -1, 4);
      return this;
    }
  }

  private static File encoder() {
    return new File()
        .layer("block.0.self.q", "encoder.block.0.self.q")
        .layer("block.1.self.q", "encoder.block.1.self.q");
  }

  private static File decoder() {
    return new File()
        .layer("decoder.block.0.self.q", "decoder.block.0.self.q")
        .layer("decoder.block.1.self.q", "decoder.block.1.self.q")
        .layer("decoder.block.0.cross.k", "decoder.block.0.cross.k");
  }

  private static File decoderWithPast() {
    return new File()
        .layer("decoder.block.0.self.q", "decoder.block.0.self.q")
        .layer("decoder.block.1.self.q", "decoder.block.1.self.q");
  }

  private static Adapters adapter(String... modules) {
    Adapters adapter = Adapters.create();
    Arrays.stream(modules).forEach(m -> adapter.lora(m, 4, 4));
    return adapter;
  }

  private static Adapters whole() {
    return adapter(
        "encoder.block.0.self.q",
        "encoder.block.1.self.q",
        "decoder.block.0.self.q",
        "decoder.block.1.self.q",
        "decoder.block.0.cross.k");
  }

  private List<Binding> bind(Adapters adapter, File... files) {
    return bind(adapter, Binder.Options.DERIVED, files);
  }

  private List<Binding> bind(Adapters adapter, Binder.Options options, File... files) {
    return SetBinder.bind(
        Arrays.stream(files)
            .map(f -> f.graphs.write(folder.resolve("file" + f.hashCode())))
            .map(path -> SiteIndex.of(ModelGraph.of(OnnxModel.open(path))))
            .toList(),
        PeftAdapter.open(adapter.write(folder.resolve("adapter"))),
        options);
  }

  private static List<String> bound(Binding binding) {
    return binding.bound().stream().map(BoundTarget::name).toList();
  }

  @Test
  void saysWhichTargetHasAPlaceInNoFile() {
    List<Binding> bindings = bind(whole(), encoder(), decoderWithPast());
    assertThat(bindings)
        .allSatisfy(b ->
            assertThat(b.misses())
                .extracting(Miss::name)
                .containsExactly("decoder.block.0.cross.k"));
    assertThatThrownBy(bindings.getLast()::requireComplete)
        .isInstanceOf(BindingException.class)
        .hasMessageContaining("decoder.block.0.cross.k");
  }

  @Test
  void refusesAFileThatHasNoPlaceForAnyTarget() {
    assertThatThrownBy(
            () -> bind(whole(), encoder(), decoder(), new File().layer("other.fc", "other.fc")))
        .isInstanceOf(BindingException.class)
        .hasMessageContaining("no place for any target")
        .hasMessageContaining("leave the file out");
  }

  @Test
  void doesNotTakeTheEncoderForTheDecoderWhoseNamesEndAlike() {
    Adapters decoderOnly = adapter("decoder.block.0.self.q", "decoder.block.1.self.q");
    assertThatThrownBy(() -> bind(decoderOnly, encoder(), decoder()))
        .isInstanceOf(BindingException.class)
        .hasMessageContaining("no place for any target");
  }

  @Test
  void refusesAPrefixThatNoOtherFileDecides() {
    File alike = new File().layer("block.0.self.q", "a").layer("block.1.self.q", "b");
    Adapters two =
        adapter("x.block.0.self.q", "x.block.1.self.q", "y.block.0.self.q", "y.block.1.self.q");
    File other = new File().layer("z.block.0.self.q", "z");
    assertThatThrownBy(() -> bind(two.lora("z.block.0.self.q", 4, 4), alike, other))
        .isInstanceOf(BindingException.class)
        .hasMessageContaining("2 prefixes bind equally many targets")
        .hasMessageContaining("'x.' -> ''")
        .hasMessageContaining("'y.' -> ''")
        .hasMessageContaining("--map FILE");
  }

  @Test
  void takesTheMapFilesWordWhereNoOtherFileDecides() throws IOException {
    File alike = new File().layer("block.0.self.q", "a").layer("block.1.self.q", "b");
    File other =
        new File()
            .layer("y.block.0.self.q", "c")
            .layer("y.block.1.self.q", "d")
            .layer("z.block.0.self.q", "z");
    Adapters all =
        adapter(
            "x.block.0.self.q",
            "x.block.1.self.q",
            "y.block.0.self.q",
            "y.block.1.self.q",
            "z.block.0.self.q");
    Path map = folder.resolve("map");
    Files.writeString(
        map,
        """
        x.block.0.self.q -> /block/0/self/q/MatMul
        x.block.1.self.q -> /block/1/self/q/MatMul
        """);
    Binder.Options options = new Binder.Options(Optional.empty(), NameMap.read(map), Ties.ACTIVE);
    List<Binding> bindings = bind(all, options, alike, other);
    assertThat(bindings).allSatisfy(Binding::requireComplete);
    assertThat(bound(bindings.getFirst())).containsExactly("x.block.0.self.q", "x.block.1.self.q");
    assertThat(bound(bindings.getLast())).hasSize(3);
  }

  @Test
  void givesEachFileItsOwnPrefixAndEveryTargetAPlace() {
    List<Binding> bindings = bind(whole(), encoder(), decoder(), decoderWithPast());
    assertThat(bindings).allSatisfy(Binding::requireComplete);
    assertThat(bindings)
        .extracting(Binding::prefix)
        .containsExactly(new Prefix("encoder.", ""), Prefix.NONE, Prefix.NONE);
    assertThat(bound(bindings.get(0)))
        .containsExactly("encoder.block.0.self.q", "encoder.block.1.self.q");
    assertThat(bound(bindings.get(1))).hasSize(3).allMatch(n -> n.startsWith("decoder."));
    assertThat(bound(bindings.get(2))).hasSize(2);
  }

  @Test
  void tellsTheEncoderByItsWeightsWhereTheNamesDoNot() {
    Adapters selfOnly =
        adapter(
            "decoder.block.0.self.q",
            "decoder.block.1.self.q",
            "encoder.block.0.self.q",
            "encoder.block.1.self.q");
    List<Binding> bindings = bind(selfOnly, encoder(), decoder());
    assertThat(bindings.getFirst().prefix()).isEqualTo(new Prefix("encoder.", ""));
    assertThat(bound(bindings.getFirst())).allMatch(n -> n.startsWith("encoder."));
  }
}
