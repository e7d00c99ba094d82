/// The form of experiments and their results. An [Experiment] writes numbers and their bounds into
/// a [Notebook]. The notebooks of all seeds become a [Finding], whose [Verdict] follows from its
/// values, and a [Ledger] keeps findings in files.
///
/// The rows that comments and statements of experiments name are those of the project's list of
/// claims, and so are its sections 3.1 to 3.3 and the identities I1 to I13 and claims C1 to C5 of
/// section 3.3.
@NullMarked
package fathom.lab.ledger;

import org.jspecify.annotations.NullMarked;
