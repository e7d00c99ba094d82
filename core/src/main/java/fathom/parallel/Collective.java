package fathom.parallel;

import fathom.Tensor;

/// Workers that run one program, each on its own share of a batch, and meet here.
///
/// Every worker calls the same methods in the same order, also when its share is empty. Sums are
/// taken in the order of ranks, so they do not depend on who comes first. If a worker fails, the
/// others get a [LostWorkerException] instead of waiting for it.
public interface Collective {
  /// This worker, from 0.
  int rank();

  /// How many workers there are.
  int size();

  /// Replaces `values` by its sum over all workers.
  void allReduce(double[] values);

  /// Replaces the elements of `tensor`, dense and of one shape and type everywhere, by their sums
  /// over all workers.
  void allReduce(Tensor tensor);

  /// Replaces the elements of `tensor` by those of worker `root`.
  void broadcast(Tensor tensor, int root);

  /// Returns when every worker has called it.
  void barrier();

  /// One worker, for whom all of this is nothing.
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
