/// Programs to copy. Each shows, in one file, one thing that Fathom does in Java.
@NullMarked
package fathom.examples;

import org.jspecify.annotations.NullMarked;
