package dev.graft.fold;

/** Writes down what a fold changes, or does not. Safe to share between threads. */
interface Recording {

  /** Writes nothing down. */
  Recording NONE =
      new Recording() {
        @Override
        public RowChange change(FoldedTensor tensor, RowSource rows, int rowLength) {
          return new RowChange.Plain(rows);
        }

        @Override
        public void finish(FoldedTensor tensor, RowChange change, RowSource rows) {}
      };

  /**
   * Begins with a tensor.
   *
   * @param tensor which one
   * @param rows what happens to its rows
   * @param rowLength how many values a row has
   */
  RowChange change(FoldedTensor tensor, RowSource rows, int rowLength);

  /** Ends with a tensor of which all rows have been changed. */
  void finish(FoldedTensor tensor, RowChange change, RowSource rows);
}
