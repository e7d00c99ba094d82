/// The papers' claims as experiments, one file each: what is run, what is measured, what it shows
/// and what it does not.
@NullMarked
package fathom.lab;

import org.jspecify.annotations.NullMarked;
