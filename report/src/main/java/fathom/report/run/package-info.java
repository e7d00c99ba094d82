/// Pages of training runs: [RunReport] for one run, [RunComparison] for several. They read what the
/// run's folder has recorded, and neither the data nor the weights.
@NullMarked
package fathom.report.run;

import org.jspecify.annotations.NullMarked;
