/// The laboratory: how a series of experiments is run and reported, and the demo.
@NullMarked
package fathom.lab;

import org.jspecify.annotations.NullMarked;
