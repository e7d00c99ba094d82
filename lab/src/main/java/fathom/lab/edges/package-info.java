/// The outlines of all objects in an image, from layers with and without norms: what a layer's mean
/// and variance say of them, what each norm takes off, and what gives it back.
@NullMarked
package fathom.lab.edges;

import org.jspecify.annotations.NullMarked;
