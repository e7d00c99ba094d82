/// The laboratory: it runs and reports series of experiments, and has the demonstration `fathom
/// demo`.
@NullMarked
package fathom.lab;

import org.jspecify.annotations.NullMarked;
