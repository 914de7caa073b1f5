package dev.graft.testing.disk;

import dev.graft.testing.disk.Operation.Create;
import dev.graft.testing.disk.Operation.Delete;
import dev.graft.testing.disk.Operation.Force;
import dev.graft.testing.disk.Operation.ForceFolder;
import dev.graft.testing.disk.Operation.OfBytes;
import dev.graft.testing.disk.Operation.OfNames;
import dev.graft.testing.disk.Operation.Rename;
import dev.graft.testing.disk.Operation.Truncate;
import dev.graft.testing.disk.Operation.Write;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The files of a folder after a power cut: what was forced is there. Of the rest each write may be
 * whole, lost or torn at sectors, with or without the length that it gave the file, in any order;
 * and of the changes of names there may be all, none, the first ones or any, whatever became of the
 * bytes.
 */
public final class CrashState {

  private static final int SECTOR = 512;

  private final Random random;
  private final Map<String, Integer> names = new HashMap<>();
  private final List<OfNames> unforcedNames = new ArrayList<>();
  private final Map<Integer, Content> contents = new HashMap<>();

  /** What becomes of that which was not forced. */
  private enum Fate {
    LOST,
    FIRST_ONES,
    ANY,
    KEPT
  }

  /** The bytes of a file and what was done to them since it was forced. */
  private static final class Content {
    private byte[] bytes = {};
    private final List<OfBytes> unforced = new ArrayList<>();

    void extendTo(long length) {
      if (length > bytes.length) {
        bytes = Arrays.copyOf(bytes, Math.toIntExact(length));
      }
    }

    void truncate(long length) {
      if (length < bytes.length) {
        bytes = Arrays.copyOf(bytes, Math.toIntExact(length));
      }
    }
  }

  CrashState(Random random) {
    this.random = random;
  }

  /** Adds a file that is on the disk; the files have numbers in this order. */
  void put(String name, byte[] bytes) {
    int file = contents.size();
    content(file).bytes = bytes;
    names.put(name, file);
  }

  private Content content(int file) {
    return contents.computeIfAbsent(file, f -> new Content());
  }

  void apply(Operation operation) {
    switch (operation) {
      case OfBytes change -> content(change.file()).unforced.add(change);
      case OfNames change -> unforcedNames.add(change);
      case Force force -> {
        Content content = content(force.file());
        content.unforced.forEach(change -> whole(content, change));
        content.unforced.clear();
      }
      case ForceFolder _ -> {
        unforcedNames.forEach(this::rename);
        unforcedNames.clear();
      }
    }
  }

  private static void whole(Content content, OfBytes change) {
    switch (change) {
      case Write write -> copy(content, write, 0, write.bytes().remaining());
      case Truncate truncate -> content.truncate(truncate.length());
    }
  }

  private static void copy(Content content, Write write, int from, int to) {
    content.extendTo(write.position() + to);
    ByteBuffer part = write.bytes().slice(from, to - from);
    part.get(content.bytes, Math.toIntExact(write.position() + from), to - from);
  }

  private void rename(OfNames change) {
    switch (change) {
      case Create create -> names.put(create.name(), create.file());
      case Rename rename -> {
        names.remove(rename.from(), rename.file());
        names.put(rename.to(), rename.file());
      }
      case Delete delete -> names.remove(delete.name(), delete.file());
    }
  }

  /** Decides what was lost; the files that are left, by name. */
  public SortedMap<String, byte[]> decide() {
    survivors(unforcedNames).forEach(this::rename);
    unforcedNames.clear();
    SortedMap<String, byte[]> left = new TreeMap<>();
    names.forEach((name, file) -> {
      Content content = content(file);
      settle(content);
      left.put(name, content.bytes.clone());
    });
    return left;
  }

  private <T> List<T> survivors(List<T> unforced) {
    return switch (fate()) {
      case LOST -> List.of();
      case FIRST_ONES -> unforced.subList(0, random.nextInt(unforced.size() + 1));
      case ANY -> unforced.stream().filter(_ -> random.nextBoolean()).toList();
      case KEPT -> unforced;
    };
  }

  private Fate fate() {
    return Fate.values()[random.nextInt(Fate.values().length)];
  }

  private void settle(Content content) {
    List<OfBytes> unforced = new ArrayList<>(content.unforced);
    content.unforced.clear();
    switch (fate()) {
      case LOST -> {}
      case KEPT -> unforced.forEach(change -> whole(content, change));
      case FIRST_ONES -> {
        int whole = random.nextInt(unforced.size() + 1);
        unforced.subList(0, whole).forEach(change -> whole(content, change));
        unforced.stream().skip(whole).limit(1).forEach(change -> torn(content, change));
      }
      case ANY -> {
        Collections.shuffle(unforced, random);
        unforced.forEach(change -> torn(content, change));
      }
    }
  }

  /** Each sector of the file by itself reaches the disk or not; lengths do as they like. */
  private void torn(Content content, OfBytes change) {
    if (!(change instanceof Write write)) {
      if (random.nextBoolean()) {
        whole(content, change);
      }
      return;
    }
    int length = write.bytes().remaining();
    if (random.nextBoolean()) {
      content.extendTo(write.position() + length);
    }
    int from = 0;
    while (from < length) {
      int sector = SECTOR - (int) ((write.position() + from) % SECTOR);
      int to = Math.min(length, from + sector);
      if (random.nextBoolean()) {
        copy(content, write, from, to);
      }
      from = to;
    }
  }
}
