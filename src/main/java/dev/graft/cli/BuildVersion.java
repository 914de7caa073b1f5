package dev.graft.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/** The version that the build wrote into the jar, so that it is stated in one place, the POM. */
final class BuildVersion implements IVersionProvider {
  /** What the build knows itself as, e.g. {@code 0.1.0}. */
  static String current() {
    Properties properties = new Properties();
    try (InputStream in = BuildVersion.class.getResourceAsStream("/dev/graft/build.properties")) {
      if (in == null) {
        throw new IllegalStateException(
            "dev/graft/build.properties is missing from the class path");
      }
      properties.load(in);
    } catch (IOException e) {
      throw new UncheckedIOException("dev/graft/build.properties cannot be read", e);
    }
    return properties.getProperty("version", "unknown");
  }

  @Override
  public String[] getVersion() {
    return new String[] {"graft " + current()};
  }
}
