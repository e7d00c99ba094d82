/// Does layer normalization wipe out edges? Experiments on the outlines of all objects in an image:
/// what a layer's mean and variance tell about them, what each norm removes, and what restores it.
@NullMarked
package fathom.lab.edges;

import org.jspecify.annotations.NullMarked;
