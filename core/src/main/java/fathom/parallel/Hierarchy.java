package fathom.parallel;

import fathom.Tensor;
import java.util.Arrays;

/// The workers of several processes: the threads of each, and the processes, whose operations the
/// first thread of each makes for all. A sum is taken over the threads first and then over the
/// processes.
///
/// @param local the threads of this process
/// @param processes the processes, as one thread of each calls them
record Hierarchy(Collective local, Collective processes) implements Collective {
  @Override
  public int rank() {
    return local.size() * processes.rank() + local.rank();
  }

  @Override
  public int size() {
    return local.size() * processes.size();
  }

  /// What the first thread has learned goes to the others as a sum in which they have zeros.
  @Override
  public void allReduce(double[] values) {
    local.allReduce(values);
    if (leads()) {
      processes.allReduce(values);
    } else {
      Arrays.fill(values, 0);
    }
    local.allReduce(values);
  }

  @Override
  public void allReduce(Tensor tensor) {
    local.allReduce(tensor);
    if (leads()) {
      processes.allReduce(tensor);
    }
    local.broadcast(tensor, 0);
  }

  @Override
  public void broadcast(Tensor tensor, int root) {
    if (processes.rank() == root / local.size()) {
      local.broadcast(tensor, root % local.size());
    }
    if (leads()) {
      processes.broadcast(tensor, root / local.size());
    }
    local.broadcast(tensor, 0);
  }

  @Override
  public void barrier() {
    local.barrier();
    if (leads()) {
      processes.barrier();
    }
    local.barrier();
  }

  private boolean leads() {
    return local.rank() == 0;
  }
}
