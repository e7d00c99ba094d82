package fathom.parallel;

import fathom.Tensor;

/// The workers that run one program, each on its own share of a batch, and their collective
/// operations.
///
/// Every worker must call the same methods in the same order, also when its share is empty. Sums
/// are taken in the order of ranks, so they do not depend on which worker arrives first. If a
/// worker fails, the methods of the others throw [LostWorkerException] instead of waiting for it.
public interface Collective {
  /// Returns the number of this worker, from 0.
  int rank();

  /// Returns the number of workers.
  int size();

  /// Returns the workers of this process, which share its memory, with ranks from 0. The first of
  /// them is the one that does what has to be done once in each process.
  default Collective local() {
    return this;
  }

  /// Replaces `values` by its sum over all workers.
  void allReduce(double[] values);

  /// Replaces the elements of `tensor` by their sums over all workers. The tensor is dense, of type
  /// FLOAT32 or FLOAT64, and has the same shape and type on every worker. Throws
  /// `IllegalArgumentException` for another type if there are several workers.
  void allReduce(Tensor tensor);

  /// Replaces the elements of `tensor` by those of worker `root`.
  void broadcast(Tensor tensor, int root);

  /// Returns when every worker has called it.
  void barrier();

  /// A single worker, for which every collective operation does nothing.
  Collective ALONE =
      new Collective() {
        @Override
        public int rank() {
          return 0;
        }

        @Override
        public int size() {
          return 1;
        }

        @Override
        public void allReduce(double[] values) {}

        @Override
        public void allReduce(Tensor tensor) {}

        @Override
        public void broadcast(Tensor tensor, int root) {}

        @Override
        public void barrier() {}
      };
}
