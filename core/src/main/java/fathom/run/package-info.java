/// Runs of the command line: what a run remembers in its folder, named recipes, and the nets, data
/// and tasks that are known by name. Formats of earlier versions are read here, and nowhere else.
@NullMarked
package fathom.run;

import org.jspecify.annotations.NullMarked;
