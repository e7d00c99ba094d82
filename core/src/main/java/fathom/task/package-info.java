/// What a net can learn: a [Task] says how a share of a batch becomes a loss and how good a net is,
/// and knows nothing of loops, files or threads.
@NullMarked
package fathom.task;

import org.jspecify.annotations.NullMarked;
