package dev.graft.fold;

import dev.graft.fold.UndoIndex.TensorEntry;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Those that change tensors back, each for one thread at a time. A few that were used last are kept
 * with their factors in memory, since a tensor is read block by block.
 */
final class RestorerPool implements AutoCloseable {

  private static final int KEPT = 4;

  private final Function<TensorEntry, TensorRestorer> maker;
  private final Deque<TensorRestorer> idle = new ArrayDeque<>();

  /** Begins with none. */
  RestorerPool(Function<TensorEntry, TensorRestorer> maker) {
    this.maker = maker;
  }

  /** Does something with one for a tensor. */
  void with(TensorEntry entry, Consumer<TensorRestorer> work) {
    TensorRestorer restorer = take(entry);
    boolean done = false;
    try {
      work.accept(restorer);
      done = true;
    } finally {
      if (done) {
        giveBack(restorer);
      } else {
        restorer.close();
      }
    }
  }

  private TensorRestorer take(TensorEntry entry) {
    synchronized (idle) {
      for (Iterator<TensorRestorer> all = idle.iterator(); all.hasNext(); ) {
        TensorRestorer restorer = all.next();
        if (restorer.entry().place().equals(entry.place())) {
          all.remove();
          return restorer;
        }
      }
    }
    return maker.apply(entry);
  }

  private void giveBack(TensorRestorer restorer) {
    TensorRestorer oldest = null;
    synchronized (idle) {
      idle.addFirst(restorer);
      if (idle.size() > KEPT) {
        oldest = idle.removeLast();
      }
    }
    if (oldest != null) {
      oldest.close();
    }
  }

  @Override
  public void close() {
    synchronized (idle) {
      idle.forEach(TensorRestorer::close);
      idle.clear();
    }
  }
}
