package dev.graft.adapter;

/** The keys under which PEFT saves an adapter's tensors. */
public final class PeftKey {

  private PeftKey() {}

  /** The module that a tensor is for, by its key, without wrappers' and PEFT's additions. */
  public static String module(String key) {
    return AdapterKey.parse(key).module();
  }
}
