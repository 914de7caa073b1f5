package dev.graft.runtime;

import org.bytedeco.onnxruntime.OrtSessionOptions;
import org.bytedeco.onnxruntime.global.onnxruntime;

/** Settings in the runtime's own form. A session copies them, so they go once it is made. */
final class OrtOptions implements AutoCloseable {

  private final OrtLibrary ort;
  private final OrtSessionOptions options = new OrtSessionOptions();

  /** Makes the options; the context opens every message. */
  OrtOptions(OrtLibrary ort, SessionSettings settings, String context) {
    this.ort = ort;
    ort.check(ort.api().CreateSessionOptions(options), context);
    try {
      set(settings, context);
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private void set(SessionSettings settings, String context) {
    int level = level(settings.optimisation());
    ort.check(ort.api().SetSessionGraphOptimizationLevel(options, level), context);
    ort.check(ort.api().SetIntraOpNumThreads(options, settings.intraOpThreads()), context);
    int severity = severity(settings.logSeverity());
    ort.check(ort.api().SetSessionLogSeverityLevel(options, severity), context);
  }

  OrtSessionOptions pointer() {
    return options;
  }

  private static int level(SessionSettings.Optimisation optimisation) {
    return switch (optimisation) {
      case NONE -> onnxruntime.ORT_DISABLE_ALL;
      case BASIC -> onnxruntime.ORT_ENABLE_BASIC;
      case EXTENDED -> onnxruntime.ORT_ENABLE_EXTENDED;
      case ALL -> onnxruntime.ORT_ENABLE_ALL;
    };
  }

  private static int severity(SessionSettings.LogSeverity severity) {
    return switch (severity) {
      case VERBOSE -> onnxruntime.ORT_LOGGING_LEVEL_VERBOSE;
      case INFO -> onnxruntime.ORT_LOGGING_LEVEL_INFO;
      case WARNING -> onnxruntime.ORT_LOGGING_LEVEL_WARNING;
      case ERROR -> onnxruntime.ORT_LOGGING_LEVEL_ERROR;
      case FATAL -> onnxruntime.ORT_LOGGING_LEVEL_FATAL;
    };
  }

  @Override
  public void close() {
    ort.api().ReleaseSessionOptions(options);
  }
}
