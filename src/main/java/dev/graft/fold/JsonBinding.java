package dev.graft.fold;

import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * Jackson's data binding. It takes 25 ms and more to get ready, so it stands by itself and is
 * loaded only where something is bound.
 */
final class JsonBinding {

  static final JsonMapper MAPPER = JsonMapper.builder().build();

  /** Refuses fields of records that are missing or null. */
  static final JsonMapper STRICT =
      JsonMapper.builder()
          .enable(
              DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES,
              DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
          .build();

  private JsonBinding() {}
}
