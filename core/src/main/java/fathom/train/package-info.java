/// The loop: workers that each run the whole program on their share of every batch, what they train
/// by, and the folder in which a run leaves its traces.
@NullMarked
package fathom.train;

import org.jspecify.annotations.NullMarked;
