/// The command line. It turns arguments into a call of the library, the result into a table or a
/// JSON object, and a failure into a message and an exit code.
@NullMarked
package fathom.cli;

import org.jspecify.annotations.NullMarked;
