package dev.graft.io;

import dev.graft.error.FormatException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The {@code location} of external data, a string that a stranger wrote. It may only lead to a
 * regular file with one name, below the model's own folder, and through no link: everything else
 * could make Graft read, and then publish in its output, a file that was never part of the model.
 *
 * <p>Every method takes a {@code context} that begins its messages, such as {@code model.onnx:
 * tensor 'w'}.
 */
public final class ExternalLocation {

  private static final Pattern DRIVE = Pattern.compile("^[A-Za-z]:.*", Pattern.DOTALL);

  private ExternalLocation() {}

  /**
   * The file that a location means.
   *
   * @param modelFolder the folder that holds the model file; may itself be reached through links
   * @return a canonical path below the canonical folder
   * @throws FormatException if the location breaks a rule or the file is missing
   */
  public static Path resolve(Path modelFolder, String location, String context) {
    List<String> names = names(location, context);
    try {
      return checked(modelFolder.toRealPath(), names, new Place(location, context));
    } catch (IOException e) {
      throw new FormatException(
          context
              + ": external data '"
              + location
              + "' in "
              + modelFolder
              + ": "
              + Refusal.reason(e),
          e);
    }
  }

  /**
   * Holds a location to the rules of its form, whether or not there is such a file.
   *
   * @throws FormatException if it breaks one
   */
  public static void check(String location, String context) {
    names(location, context);
  }

  /**
   * Opens the file that a location means. Folders are entered one by one without following links,
   * and the rules are checked again after the file is open, so that swapping a link in meanwhile
   * does not help.
   *
   * @throws FormatException as {@link #resolve}, or if the file was exchanged while it was opened
   */
  public static InputFile open(Path modelFolder, String location, String context) {
    Path file = resolve(modelFolder, location, context);
    try {
      FileIdentity before = FileIdentity.ofUnlinked(file);
      Path folder = modelFolder.toRealPath();
      InputFile opened =
          InputFile.adopt(file, openBeneath(folder, folder.relativize(file)), before);
      try {
        requireUnchanged(opened, resolve(modelFolder, location, context), context);
        return opened;
      } catch (IOException | RuntimeException e) {
        opened.close();
        throw e;
      }
    } catch (IOException e) {
      throw new FormatException(
          context + ": external data " + file + " cannot be opened: " + Refusal.reason(e), e);
    }
  }

  /**
   * Checks that a file holds a byte range, before anything is allocated for it.
   *
   * @throws FormatException if offset or length is negative or the range ends after the file
   */
  public static void checkRange(InputFile file, long offset, long length, String context) {
    if (offset < 0 || length < 0) {
      throw new FormatException(
          context
              + ": external data in "
              + file.path()
              + " has offset "
              + offset
              + " and length "
              + length
              + "; neither may be negative");
    }
    if (offset > file.size() || length > file.size() - offset) {
      throw new FormatException(
          context
              + ": external data needs "
              + length
              + " bytes at offset "
              + offset
              + " of "
              + file.path()
              + ", but the file has "
              + file.size()
              + " bytes; it is truncated or belongs to another model");
    }
  }

  private static List<String> names(String location, String context) {
    if (location.isEmpty()) {
      throw refused(location, context, "is empty; it must name a file in the model's folder");
    }
    if (location.indexOf('\0') >= 0) {
      throw refused(location.replace('\0', '?'), context, "holds a NUL byte");
    }
    if (location.indexOf('\\') >= 0) {
      throw refused(location, context, "holds a backslash; folders are separated by '/'");
    }
    if (location.startsWith("/") || DRIVE.matcher(location).matches()) {
      throw refused(location, context, "is absolute; it must be relative to the model's folder");
    }
    List<String> names = new ArrayList<>();
    for (String name : location.split("/", -1)) {
      if (name.equals("..")) {
        throw refused(location, context, "holds '..'; it may not climb out of the model's folder");
      }
      if (!name.isEmpty() && !name.equals(".")) {
        names.add(name);
      }
    }
    if (names.isEmpty() || location.endsWith("/")) {
      throw refused(location, context, "names a folder, a file is expected");
    }
    return names;
  }

  private static Path checked(Path folder, List<String> names, Place place) throws IOException {
    Path path = folder;
    for (String name : names) {
      path = child(path, name, place);
      if (attributes(path, place).isSymbolicLink()) {
        throw place.refused(
            path + " is a symbolic link; put the data itself into the model's folder (cp -L)");
      }
    }
    if (!attributes(path, place).isRegularFile()) {
      throw place.refused(path + " is not a regular file");
    }
    if (linkCount(path) > 1) {
      throw place.refused(
          path
              + " has "
              + linkCount(path)
              + " names (hard links), so it may be a file from elsewhere; copy it");
    }
    // Says the same once more in the operating system's own terms: junctions and mounts of Windows.
    if (!path.toRealPath().startsWith(folder)) {
      throw place.refused(path + " lies outside the model's folder");
    }
    return path;
  }

  private static Path child(Path folder, String name, Place place) {
    try {
      return folder.resolve(name);
    } catch (InvalidPathException e) {
      throw place.refused("'" + name + "' is no file name here: " + e.getReason());
    }
  }

  private static BasicFileAttributes attributes(Path path, Place place) throws IOException {
    try {
      return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    } catch (NoSuchFileException e) {
      throw place.refused("there is no such file: " + path);
    }
  }

  private static int linkCount(Path path) throws IOException {
    if (!path.getFileSystem().supportedFileAttributeViews().contains("unix")) {
      return 1;
    }
    return Files.getAttribute(path, "unix:nlink", LinkOption.NOFOLLOW_LINKS)
            instanceof Integer count
        ? count
        : 1;
  }

  /** Opens a file some folders down; neither it nor a folder on the way may be a link by now. */
  static FileChannel openBeneath(Path folder, Path rest) throws IOException {
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder)) {
      return stream instanceof SecureDirectoryStream<Path> secure
          ? openIn(secure, rest)
          : FileChannel.open(
              folder.resolve(rest), StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
    }
  }

  private static FileChannel openIn(SecureDirectoryStream<Path> folder, Path rest)
      throws IOException {
    Path name = rest.getName(0);
    if (rest.getNameCount() > 1) {
      try (SecureDirectoryStream<Path> next =
          folder.newDirectoryStream(name, LinkOption.NOFOLLOW_LINKS)) {
        return openIn(next, rest.subpath(1, rest.getNameCount()));
      }
    }
    BasicFileAttributeView view =
        folder.getFileAttributeView(name, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
    if (!view.readAttributes().isRegularFile()) {
      throw new IOException("it was exchanged while it was opened");
    }
    return (FileChannel)
        folder.newByteChannel(name, Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS));
  }

  /** Checks that the path still leads to the file that was opened. */
  static void requireUnchanged(InputFile opened, Path again, String context) throws IOException {
    FileIdentity now = FileIdentity.ofUnlinked(again);
    if (!now.equals(opened.identity()) || Files.size(again) != opened.size()) {
      throw new FormatException(
          context
              + ": external data "
              + again
              + " was exchanged while it was opened; nothing was read from it");
    }
  }

  private static FormatException refused(String location, String context, String why) {
    return new FormatException(context + ": external data location '" + location + "' " + why);
  }

  private record Place(String location, String context) {
    FormatException refused(String why) {
      return new FormatException(
          context + ": external data location '" + location + "' is refused: " + why);
    }
  }
}
