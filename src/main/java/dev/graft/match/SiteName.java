package dev.graft.match;

/**
 * One name of a site.
 *
 * @param module the module path, dots between its parts
 * @param rule where the name was found
 */
public record SiteName(String module, NameRule rule) {

  /** Whether the node itself says so, not the weight that it may share with others. */
  boolean isOfNode() {
    return rule == NameRule.NAME_SCOPE || rule == NameRule.NODE_PATH;
  }
}
