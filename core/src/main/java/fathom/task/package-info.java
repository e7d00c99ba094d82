/// The tasks that a net can learn. A [Task] says how a share of a batch becomes a loss and how good
/// a net is. It knows nothing of loops, files or threads.
@NullMarked
package fathom.task;

import org.jspecify.annotations.NullMarked;
