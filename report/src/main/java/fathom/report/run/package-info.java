/// The pages of training runs: of one ([RunReport]), and of several side by side ([RunComparison]).
/// They read what stands in the run's folder, and neither its data nor its weights.
@NullMarked
package fathom.report.run;

import org.jspecify.annotations.NullMarked;
