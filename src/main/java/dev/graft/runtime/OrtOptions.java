package dev.graft.runtime;

import dev.graft.error.RuntimeFailure;
import java.nio.charset.StandardCharsets;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.onnxruntime.OrtCUDAProviderOptionsV2;
import org.bytedeco.onnxruntime.OrtSessionOptions;
import org.bytedeco.onnxruntime.global.onnxruntime;

/** Settings in the runtime's own form. A session copies them, so they go once it is made. */
final class OrtOptions implements AutoCloseable {

  private static final String DATA_FOLDER = "session.model_external_initializers_file_folder_path";
  private static final String DISABLED_REWRITES = "optimization.disable_specified_optimizers";

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

  /** Makes the options of a training session. */
  OrtOptions(OrtLibrary ort, TrainingSettings settings, String context) {
    this(ort, settings.session(), context);
    try {
      set(settings, context);
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private void set(TrainingSettings settings, String context) {
    // With the pattern, the second step of this release takes nearly twice the memory of the first.
    ort.check(ort.api().DisableMemPattern(options), context);
    settings.weights().ifPresent(folder -> entry(DATA_FOLDER, folder.toString(), context));
    if (!settings.disabledRewrites().isEmpty()) {
      entry(DISABLED_REWRITES, String.join(";", settings.disabledRewrites()), context);
    }
    if (settings.device().kind() == Device.Kind.CUDA) {
      appendCuda(settings.device(), context);
    }
  }

  private void entry(String key, String value, String context) {
    ort.check(ort.api().AddSessionConfigEntry(options, key, value), context);
  }

  /** Adds the CUDA provider, or says what is missing: nothing may quietly run on the CPU. */
  private void appendCuda(Device device, String context) {
    OrtCUDAProviderOptionsV2 cuda = new OrtCUDAProviderOptionsV2();
    try {
      ort.check(ort.api().CreateCUDAProviderOptions(cuda), context);
      try (PointerScope _ = new PointerScope()) {
        PointerPointer<BytePointer> keys = strings("device_id");
        PointerPointer<BytePointer> values = strings(Integer.toString(device.index()));
        ort.check(ort.api().UpdateCUDAProviderOptions(cuda, keys, values, 1), context);
        ort.check(ort.api().SessionOptionsAppendExecutionProvider_CUDA_V2(options, cuda), context);
      }
    } catch (RuntimeFailure e) {
      throw new RuntimeFailure(
          "device %s is not to be had: %s. It needs the jar org.bytedeco:onnxruntime with the classifier"
                  .formatted(device, e.getMessage())
              + " PLATFORM-gpu on the class path, an NVIDIA driver, CUDA 13 and cuDNN 9; --device cpu needs"
              + " none of them",
          e);
    } finally {
      if (!cuda.isNull()) {
        ort.api().ReleaseCUDAProviderOptions().call(cuda);
      }
    }
  }

  private static PointerPointer<BytePointer> strings(String only) {
    return new PointerPointer<>(new BytePointer[] {new BytePointer(only, StandardCharsets.UTF_8)});
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
