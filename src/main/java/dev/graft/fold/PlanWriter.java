package dev.graft.fold;

import dev.graft.error.RuntimeFailure;
import dev.graft.fold.FoldedTensor.Hashes;
import dev.graft.io.ComposedFile;
import dev.graft.io.ComposedFile.Extent;
import dev.graft.io.InputFile;
import dev.graft.io.OpenFile;
import dev.graft.io.OutputFile;
import dev.graft.io.Progress;
import dev.graft.io.RangeCopier;
import dev.graft.onnx.FilePlan;
import dev.graft.onnx.Piece;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Writes planned files: tensors and long copies are jobs for a few threads, largest first; what is
 * small is gathered and written in order.
 */
final class PlanWriter {

  private static final long SMALL = 1 << 16;
  private static final long COPY_STEP = 64L << 20;

  private final SourceFiles sources;
  private final AdapterValues adapter;
  private final Recording recording;
  private final Progress progress;
  private final List<Job> jobs = new ArrayList<>();
  private final List<Deferred> deferred = new ArrayList<>();

  /** Something for a worker. */
  private record Job(long bytes, Work work) {}

  /** What a worker does with its folder. */
  private interface Work {
    void run(TensorFolder folder);
  }

  /** A place that is filled when everything else is written. */
  private record Deferred(OutputFile out, long position, long length) {}

  /**
   * Prepares to write.
   *
   * @param sources the base's files
   * @param adapter the adapter's tensors
   * @param recording told of what is changed
   * @param progress told of the bytes written
   */
  PlanWriter(SourceFiles sources, AdapterValues adapter, Recording recording, Progress progress) {
    this.sources = sources;
    this.adapter = adapter;
    this.recording = recording;
    this.progress = progress;
  }

  /** Writes the small pieces of a file and queues the rest. */
  void add(FilePlan plan, OutputFile out) {
    SmallPieces small = new SmallPieces(out);
    long position = 0;
    for (Piece piece : plan.pieces()) {
      switch (piece) {
        case Piece.Literal literal -> small.append(literal.bytes().toByteArray(), position);
        case Piece.Copied copied -> {
          if (copied.lengthBytes() <= SMALL && !isRestored(copied)) {
            byte[] bytes = new byte[(int) copied.lengthBytes()];
            OpenFile from = sources.file(copied.from());
            from.readFully(MemorySegment.ofArray(bytes), copied.offset());
            small.append(bytes, position);
          } else {
            queueCopy(copied, out, position);
          }
        }
        case Piece.Produced produced -> queueFold((FoldedTensor) produced.content(), out, position);
        case Piece.Deferred later -> deferred.add(new Deferred(out, position, later.lengthBytes()));
      }
      position += piece.lengthBytes();
    }
    small.flush();
  }

  /** Whether tensors are in it that were changed back, whose hashes are held to what they were. */
  private boolean isRestored(Piece.Copied copied) {
    return sources.file(copied.from()) instanceof ComposedFile file
        && file.extents(copied.offset(), copied.lengthBytes()).stream()
            .anyMatch(e -> e.source() instanceof RestoredTensor);
  }

  /** Queues something else that a worker is to do, before the tensors. */
  void alongside(Runnable work) {
    jobs.add(new Job(Long.MAX_VALUE, folder -> work.run()));
  }

  /**
   * Does the queued work.
   *
   * @param threads on so many threads
   * @param blockBytes in blocks of about so many bytes
   */
  void run(int threads, int blockBytes) {
    jobs.sort(Comparator.comparingLong(Job::bytes).reversed());
    ConcurrentLinkedQueue<Job> queue = new ConcurrentLinkedQueue<>(jobs);
    ExecutorService pool =
        Executors.newFixedThreadPool(threads, Thread.ofPlatform().daemon().factory());
    try {
      List<Future<?>> workers = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        workers.add(pool.submit(() -> drain(queue, blockBytes)));
      }
      for (Future<?> worker : workers) {
        worker.get();
      }
    } catch (ExecutionException e) {
      queue.clear();
      if (e.getCause() instanceof RuntimeException known) {
        throw known;
      }
      throw new RuntimeFailure("a worker failed: " + e.getCause(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RuntimeFailure("interrupted before the output was complete", e);
    } finally {
      queue.clear();
      pool.shutdownNow();
      // Files may only be closed and deleted once no worker writes any more.
      pool.close();
    }
  }

  /** Fills the deferred places, in the order in which they were added. */
  void fill(List<byte[]> values) {
    for (int i = 0; i < deferred.size(); i++) {
      Deferred place = deferred.get(i);
      if (values.get(i).length != place.length()) {
        throw new IllegalStateException(
            "a deferred value has " + values.get(i).length + " bytes, not " + place.length());
      }
      place.out().write(MemorySegment.ofArray(values.get(i)), place.position());
    }
  }

  private void drain(ConcurrentLinkedQueue<Job> queue, int blockBytes) {
    try (TensorFolder folder = new TensorFolder(adapter, recording, blockBytes)) {
      for (Job job = queue.poll(); job != null; job = queue.poll()) {
        job.work().run(folder);
      }
    } catch (RuntimeException | Error e) {
      queue.clear();
      throw e;
    }
  }

  private void queueFold(FoldedTensor tensor, OutputFile out, long position) {
    jobs.add(
        new Job(
            tensor.lengthBytes() * 4, folder -> tensor.done(fold(folder, tensor, out, position))));
  }

  private Hashes fold(TensorFolder folder, FoldedTensor tensor, OutputFile out, long position) {
    Hashes hashes =
        folder.fold(
            tensor,
            sources.start(tensor),
            (block, offset) -> out.write(block, position + offset),
            progress);
    return tensor.start().isPresent()
        ? hashes
        : new Hashes(tensor.base().map(sources::sha256), hashes.after());
  }

  private void queueCopy(Piece.Copied piece, OutputFile out, long position) {
    switch (sources.file(piece.from())) {
      case InputFile file -> queueCopy(file, piece, out, position);
      case ComposedFile file -> {
        long shift = position - piece.offset();
        for (Extent extent : file.extents(piece.offset(), piece.lengthBytes())) {
          queueExtent(extent, out, extent.start() + shift);
        }
      }
      case OpenFile other -> throw new IllegalStateException(other.path() + ": no known file");
    }
  }

  private void queueExtent(Extent extent, OutputFile out, long position) {
    if (extent.source() instanceof InputFile file) {
      Piece.Copied piece = new Piece.Copied(file.path(), extent.offset(), extent.length());
      queueCopy(file, piece, out, position);
    } else {
      jobs.add(
          new Job(
              extent.length() * 4, folder -> new ExtentCopy(out, progress).copy(extent, position)));
    }
  }

  private void queueCopy(InputFile file, Piece.Copied piece, OutputFile out, long position) {
    for (long done = 0; done < piece.lengthBytes(); done += COPY_STEP) {
      long from = piece.offset() + done;
      long to = position + done;
      long length = Math.min(COPY_STEP, piece.lengthBytes() - done);
      jobs.add(
          new Job(
              length,
              folder -> {
                try (RangeCopier copier = new RangeCopier(file, out, progress)) {
                  copier.copy(from, length, to);
                }
              }));
    }
  }

  /** Gathers neighbouring small pieces into one write. */
  private static final class SmallPieces {
    private static final int CAPACITY = 1 << 20;

    private final OutputFile out;
    private final byte[] buffer = new byte[CAPACITY];
    private long start;
    private int length;

    SmallPieces(OutputFile out) {
      this.out = out;
    }

    void append(byte[] bytes, long position) {
      if (position != start + length || bytes.length > CAPACITY - length) {
        flush();
        start = position;
      }
      if (bytes.length > CAPACITY) {
        out.write(MemorySegment.ofArray(bytes), position);
        start = position + bytes.length;
        return;
      }
      System.arraycopy(bytes, 0, buffer, length, bytes.length);
      length += bytes.length;
    }

    void flush() {
      if (length > 0) {
        out.write(MemorySegment.ofArray(buffer).asSlice(0, length), start);
      }
      start += length;
      length = 0;
    }
  }
}
