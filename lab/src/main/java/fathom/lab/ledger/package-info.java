/// What an [Experiment] is, and what is kept of it: it writes numbers and their bounds into a
/// [Notebook], the notebooks of all seeds become a [Finding], whose [Verdict] follows from its
/// values, and a [Ledger] keeps findings in files.
@NullMarked
package fathom.lab.ledger;

import org.jspecify.annotations.NullMarked;
