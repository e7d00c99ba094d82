/// Measurements of speed, each checked for its answer before it is timed.
@NullMarked
package fathom.bench;

import org.jspecify.annotations.NullMarked;
