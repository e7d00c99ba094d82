/// Programs to copy: each shows one thing that is done with Fathom in Java, in one file.
@NullMarked
package fathom.examples;

import org.jspecify.annotations.NullMarked;
