/// The claims about depth as experiments, in a class each: what is run, what is measured, what it
/// shows and what it does not show; and the data and nets that several experiments use.
@NullMarked
package fathom.lab.experiment;

import org.jspecify.annotations.NullMarked;
