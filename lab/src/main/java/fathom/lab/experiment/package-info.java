/// The papers' claims as experiments, one file each: what is run, what is measured, what it shows
/// and what it does not; and the data and nets that several of them use.
@NullMarked
package fathom.lab.experiment;

import org.jspecify.annotations.NullMarked;
