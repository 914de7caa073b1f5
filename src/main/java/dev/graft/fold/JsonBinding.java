package dev.graft.fold;

import tools.jackson.databind.json.JsonMapper;

/**
 * Jackson's data binding. It takes 25 ms and more to get ready, so it stands by itself and is
 * loaded only where something is bound.
 */
final class JsonBinding {

  static final JsonMapper MAPPER = JsonMapper.builder().build();

  private JsonBinding() {}
}
