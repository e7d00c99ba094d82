/// The training loop: workers that each run the whole program on their share of every batch, the
/// settings of a training, and the files that a run leaves in its folder.
@NullMarked
package fathom.train;

import org.jspecify.annotations.NullMarked;
