/// Runs of the command line: the files that a run keeps in its folder, named recipes, and the nets,
/// data and tasks that are known by name. Formats of earlier versions are read only here.
@NullMarked
package fathom.run;

import org.jspecify.annotations.NullMarked;
