package dev.graft.fuzz;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** An adapter and a model in one input: the text of {@link AdapterInput}, a line, the model. */
final class MergeInput {

  private static final byte[] LINE = "\n%%model%%\n".getBytes(StandardCharsets.UTF_8);

  private final byte[] adapter;
  private final byte[] model;

  MergeInput(byte[] adapter, byte[] model) {
    this.adapter = adapter;
    this.model = model;
  }

  /** Takes an input apart at the first line that parts the two. */
  static MergeInput parse(byte[] input) {
    for (int i = 0; i + LINE.length <= input.length; i++) {
      if (Arrays.equals(input, i, i + LINE.length, LINE, 0, LINE.length)) {
        return new MergeInput(
            Arrays.copyOf(input, i), Arrays.copyOfRange(input, i + LINE.length, input.length));
      }
    }
    return new MergeInput(input, new byte[0]);
  }

  byte[] adapter() {
    return adapter;
  }

  byte[] model() {
    return model;
  }

  byte[] toBytes() {
    byte[] all = Arrays.copyOf(adapter, adapter.length + LINE.length + model.length);
    System.arraycopy(LINE, 0, all, adapter.length, LINE.length);
    System.arraycopy(model, 0, all, adapter.length + LINE.length, model.length);
    return all;
  }
}
