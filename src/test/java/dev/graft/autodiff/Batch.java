package dev.graft.autodiff;

import dev.graft.runtime.HostTensor;
import dev.graft.tensor.Shape;
import dev.graft.testing.GoldenCase;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The first rows of a case's training data, padded to the longest.
 *
 * @param rows as they stand in the file
 */
record Batch(List<JsonNode> rows) {

  private static final JsonMapper JSON = JsonMapper.shared();
  private static final int ROWS = 2;
  private static final long IGNORED = -100;

  static Batch read(GoldenCase golden) throws IOException {
    return new Batch(
        Files.readAllLines(golden.file("train/data.jsonl")).stream()
            .limit(ROWS)
            .map(JSON::readTree)
            .toList());
  }

  private int length() {
    return rows.stream().mapToInt(row -> row.path("input_ids").size()).max().orElseThrow();
  }

  /** The inputs of the model and those of {@link RowLoss}. */
  Map<String, HostTensor> feeds() {
    Map<String, HostTensor> feeds = new HashMap<>();
    feeds.put("input_ids", padded("input_ids"));
    feeds.put("attention_mask", padded("attention_mask"));
    long[] labels = labels();
    long counted = Arrays.stream(labels).filter(l -> l != IGNORED).count();
    float[] weights = new float[labels.length];
    for (int i = 0; i < labels.length; i++) {
      weights[i] = labels[i] == IGNORED ? 0 : 1f / counted;
      labels[i] = Math.max(labels[i], 0);
    }
    feeds.put(RowLoss.LABELS, HostTensor.ofLongs(Shape.of(labels.length, 1), labels));
    feeds.put(RowLoss.WEIGHTS, HostTensor.ofFloats(Shape.of(labels.length, 1), weights));
    return feeds;
  }

  private HostTensor padded(String field) {
    long[] values = new long[rows.size() * length()];
    for (int i = 0; i < rows.size(); i++) {
      JsonNode row = rows.get(i).path(field);
      for (int j = 0; j < row.size(); j++) {
        values[i * length() + j] = row.get(j).asLong();
      }
    }
    return HostTensor.ofLongs(Shape.of(rows.size(), length()), values);
  }

  /** A label for each row of the logits: of a language model the token that comes next. */
  private long[] labels() {
    if (rows.getFirst().has("label")) {
      return rows.stream().mapToLong(row -> row.path("label").asLong()).toArray();
    }
    long[] labels = new long[rows.size() * length()];
    Arrays.fill(labels, IGNORED);
    for (int i = 0; i < rows.size(); i++) {
      JsonNode row = rows.get(i).path("labels");
      for (int j = 1; j < row.size(); j++) {
        labels[i * length() + j - 1] = row.get(j).asLong();
      }
    }
    return labels;
  }
}
