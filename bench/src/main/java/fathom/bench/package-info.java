/// Benchmarks of speed and memory. The suites check the results of what they time.
@NullMarked
package fathom.bench;

import org.jspecify.annotations.NullMarked;
