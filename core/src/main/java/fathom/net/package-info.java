/// The architectures of the papers, and the summary of a net.
@NullMarked
package fathom.net;

import org.jspecify.annotations.NullMarked;
