/// The command line: arguments to a call of the library, its result to a table or a JSON object,
/// its failure to a message and an exit code.
@NullMarked
package fathom.cli;

import org.jspecify.annotations.NullMarked;
