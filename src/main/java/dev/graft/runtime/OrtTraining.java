package dev.graft.runtime;

import dev.graft.error.RuntimeFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.bytedeco.onnxruntime.OrtTrainingApi;
import org.bytedeco.onnxruntime.global.onnxruntime;
import org.jspecify.annotations.Nullable;

/** The training half of ONNX Runtime's C API. */
final class OrtTraining {

  private static final Path MAPS = Path.of("/proc/self/maps");

  private static @Nullable OrtTraining loaded;

  private final OrtLibrary ort;
  private final OrtTrainingApi api;

  private OrtTraining(OrtLibrary ort, OrtTrainingApi api) {
    this.ort = ort;
    this.api = api;
  }

  /**
   * Finds the training functions.
   *
   * @throws RuntimeFailure if the library in this process is a build without them
   */
  static synchronized OrtTraining get() {
    OrtTraining training = loaded;
    if (training == null) {
      OrtLibrary ort = OrtLibrary.get();
      OrtTrainingApi api = ort.api().GetTrainingApi().call(onnxruntime.ORT_API_VERSION);
      if (api == null || api.isNull()) {
        throw new RuntimeFailure(
            "this ONNX Runtime is a build without training; Graft needs the one of org.bytedeco:onnxruntime,"
                + " alone on the class path (com.microsoft.onnxruntime must not be there)"
                + mapped());
      }
      training = new OrtTraining(ort, api);
      loaded = training;
    }
    return training;
  }

  OrtLibrary ort() {
    return ort;
  }

  OrtTrainingApi api() {
    return api;
  }

  /** Which library the process really holds, where the system can say so. */
  private static String mapped() {
    try (Stream<String> lines = Files.lines(MAPS)) {
      String paths =
          lines
              .filter(line -> line.contains("libonnxruntime.so"))
              .map(line -> line.substring(line.indexOf('/')))
              .distinct()
              .collect(Collectors.joining(", "));
      return paths.isEmpty() ? "" : "; loaded is " + paths;
    } catch (IOException e) {
      return "";
    }
  }
}
