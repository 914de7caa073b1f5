package dev.graft.io;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Which ranges of a file are stored and which are holes. Java cannot ask, so {@code lseek} is
 * called through the foreign linker, on 64-bit Linux and where native access is enabled; elsewhere
 * there is no instance and a copy fills the holes with zeros, which is slower and larger but just
 * as right.
 */
final class StoredExtents implements AutoCloseable {

  private static final int O_RDONLY_NONBLOCK_CLOEXEC = 0x80800;
  private static final int SEEK_DATA = 3;
  private static final int SEEK_HOLE = 4;
  private static final int ENXIO = 6;

  private final int descriptor;
  private final long size;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment state = arena.allocate(Calls.STATE);

  private StoredExtents(int descriptor, long size) {
    this.descriptor = descriptor;
    this.size = size;
  }

  /** Looks at a file's extents, if this system, file system and JVM let us. */
  static Optional<StoredExtents> of(InputFile file) {
    if (!System.getProperty("os.name").equals("Linux")
        || ValueLayout.ADDRESS.byteSize() != Long.BYTES
        || !StoredExtents.class.getModule().isNativeAccessEnabled()) {
      return Optional.empty();
    }
    int descriptor = Calls.open(file.identity().realPath());
    if (descriptor < 0) {
      return Optional.empty();
    }
    StoredExtents extents = new StoredExtents(descriptor, file.size());
    // Every non-empty file has a hole at its end at least; no answer means that this file system
    // cannot tell.
    if (!extents.isOf(file) || extents.seek(0, SEEK_HOLE) < 0) {
      extents.close();
      return Optional.empty();
    }
    return Optional.of(extents);
  }

  /**
   * The path may have been given to another file since; trusting that one's holes would lose data.
   */
  private boolean isOf(InputFile file) {
    try {
      return file.identity().key().isPresent()
          && FileIdentity.of(Path.of("/proc/self/fd/" + descriptor))
              .key()
              .equals(file.identity().key());
    } catch (IOException e) {
      return false;
    }
  }

  /** The first stored byte at or after a position, or the file's size if only a hole follows. */
  long nextStored(long position) throws IOException {
    if (position >= size) {
      return size;
    }
    long found = seek(position, SEEK_DATA);
    if (found >= 0) {
      return found;
    }
    if (Calls.errno(state) != ENXIO) {
      throw new IOException("lseek(SEEK_DATA) failed with error " + Calls.errno(state));
    }
    return size;
  }

  /** The first byte of a hole at or after a position; the file's size counts as one. */
  long nextHole(long position) throws IOException {
    long found = seek(position, SEEK_HOLE);
    if (found < 0) {
      throw new IOException("lseek(SEEK_HOLE) failed with error " + Calls.errno(state));
    }
    return found;
  }

  private long seek(long position, int whence) {
    return Calls.seek(state, descriptor, position, whence);
  }

  @Override
  public void close() {
    Calls.close(descriptor);
    arena.close();
  }

  /**
   * The three functions of the C library; loaded only when a large file is copied, as it takes 30
   * to 70 ms.
   */
  private static final class Calls {

    static final StructLayout STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO =
        STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final MethodHandle OPEN =
        function(
            "open",
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
            Linker.Option.firstVariadicArg(2));
    private static final MethodHandle SEEK =
        function(
            "lseek",
            FunctionDescriptor.of(
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT),
            Linker.Option.captureCallState("errno"));
    private static final MethodHandle CLOSE =
        function("close", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));

    @SuppressWarnings("restricted") // the whole point; guarded by isNativeAccessEnabled
    private static MethodHandle function(
        String name, FunctionDescriptor type, Linker.Option... options) {
      Linker linker = Linker.nativeLinker();
      SymbolLookup library = linker.defaultLookup();
      return linker.downcallHandle(library.findOrThrow(name), type, options);
    }

    static int open(Path path) {
      try (Arena arena = Arena.ofConfined()) {
        return (int)
            OPEN.invokeExact(arena.allocateFrom(path.toString()), O_RDONLY_NONBLOCK_CLOEXEC);
      } catch (Throwable e) {
        throw impossible(e);
      }
    }

    static long seek(MemorySegment state, int descriptor, long position, int whence) {
      try {
        return (long) SEEK.invokeExact(state, descriptor, position, whence);
      } catch (Throwable e) {
        throw impossible(e);
      }
    }

    static void close(int descriptor) {
      try {
        int _ = (int) CLOSE.invokeExact(descriptor);
      } catch (Throwable e) {
        throw impossible(e);
      }
    }

    static int errno(MemorySegment state) {
      return (int) ERRNO.get(state, 0L);
    }

    private static IllegalStateException impossible(Throwable thrown) {
      return new IllegalStateException("a C function cannot throw", thrown);
    }
  }
}
