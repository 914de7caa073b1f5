package dev.graft.runtime;

import dev.graft.error.RuntimeFailure;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.CharPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.onnxruntime.OrtAllocator;
import org.bytedeco.onnxruntime.OrtApi;
import org.bytedeco.onnxruntime.OrtEnv;
import org.bytedeco.onnxruntime.OrtMemoryInfo;
import org.bytedeco.onnxruntime.OrtStatus;
import org.bytedeco.onnxruntime.global.onnxruntime;
import org.jspecify.annotations.Nullable;

/**
 * ONNX Runtime's C API with the one environment of the process. Neither is ever released: sessions
 * of other threads may still need them, and the process's end frees them.
 */
final class OrtLibrary {

  private static final int LONGEST_MESSAGE = 1000;

  /**
   * Where in the runtime's own source it failed: path, line and signature, of no use to our reader.
   */
  private static final Pattern SOURCE_LOCATION =
      Pattern.compile(
          "/\\S+\\.(?:h|cc):\\d+ [^()]*\\((?:[^()]|\\([^()]*\\))*\\)(?: const)?(?: \\[with [^]]*])? ");

  private static final Pattern LOAD_PREFIX = Pattern.compile("^Load model from .* failed: ?");

  private static @Nullable OrtLibrary loaded;

  private final OrtApi api;
  private final OrtApi.GetErrorMessage_OrtStatus errorMessage;
  private final OrtEnv env = new OrtEnv();
  private final OrtMemoryInfo cpuMemory = new OrtMemoryInfo();
  private final OrtAllocator allocator = new OrtAllocator();

  private OrtLibrary() {
    api = onnxruntime.OrtGetApiBase().GetApi().call(onnxruntime.ORT_API_VERSION);
    errorMessage = api.GetErrorMessage();
    String context = "ONNX Runtime could not be started";
    check(api.CreateEnv(onnxruntime.ORT_LOGGING_LEVEL_FATAL, "graft", env), context);
    check(
        api.CreateCpuMemoryInfo(
            onnxruntime.OrtDeviceAllocator, onnxruntime.OrtMemTypeDefault, cpuMemory),
        context);
    check(api.GetAllocatorWithDefaultOptions(allocator), context);
  }

  /**
   * Loads the native library at the first call, which unpacks it into JavaCPP's cache if it is new.
   */
  static synchronized OrtLibrary get() {
    OrtLibrary library = loaded;
    if (library == null) {
      library = load();
      loaded = library;
    }
    return library;
  }

  private static OrtLibrary load() {
    // JavaCPP would count mapped weights as the process's memory and refuse pointers at 4 x -Xmx.
    System.getProperties().putIfAbsent("org.bytedeco.javacpp.maxBytes", "0");
    System.getProperties().putIfAbsent("org.bytedeco.javacpp.maxPhysicalBytes", "0");
    try {
      return new OrtLibrary();
    } catch (LinkageError e) {
      throw new RuntimeFailure(
          "ONNX Runtime's native library could not be loaded: "
              + oneLine(rootCause(e).toString())
              + "; the class path needs the jars of org.bytedeco:onnxruntime, dnnl, opencl and javacpp"
              + " for this platform, and the folder ~/.javacpp/cache must be writable",
          e);
    }
  }

  private static Throwable rootCause(Throwable thrown) {
    Throwable cause = thrown.getCause();
    return cause == null ? thrown : rootCause(cause);
  }

  OrtApi api() {
    return api;
  }

  OrtEnv env() {
    return env;
  }

  /** Describes the process's ordinary memory. */
  OrtMemoryInfo cpuMemory() {
    return cpuMemory;
  }

  /** Frees a string that the runtime allocated for us. */
  void free(Pointer allocated) {
    check(api.AllocatorFree(allocator, allocated), "ONNX Runtime could not free memory");
  }

  /** The allocator of strings that the runtime makes for us. */
  OrtAllocator allocator() {
    return allocator;
  }

  /**
   * Turns the status of a call into an exception if it failed, and releases it.
   *
   * @param context what could not be done, where
   */
  void check(@Nullable OrtStatus status, String context) {
    if (status == null || status.isNull()) {
      return;
    }
    String message = errorMessage.call(status).getString(StandardCharsets.UTF_8);
    api.ReleaseStatus(status);
    throw new RuntimeFailure(context + ": " + oneLine(message));
  }

  /** A path as the runtime takes it on this platform. */
  static Pointer path(String path) {
    return Loader.getPlatform().startsWith("windows")
        ? new CharPointer(path)
        : new BytePointer(path, StandardCharsets.UTF_8);
  }

  /**
   * What a person can act on: one line of bearable length, without the runtime's own source
   * locations.
   */
  static String oneLine(String message) {
    String line = message.strip().replaceAll("\\s+", " ");
    line = SOURCE_LOCATION.matcher(line).replaceAll("");
    line = LOAD_PREFIX.matcher(line).replaceFirst("");
    return line.length() <= LONGEST_MESSAGE ? line : line.substring(0, LONGEST_MESSAGE) + "…";
  }
}
