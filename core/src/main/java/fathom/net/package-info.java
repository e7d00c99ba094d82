/// The architectures of the papers, and how to look at one.
@NullMarked
package fathom.net;

import org.jspecify.annotations.NullMarked;
