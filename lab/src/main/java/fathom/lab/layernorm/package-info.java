/// The claims of *Layer Normalization* (Ba, Kiros and Hinton 2016) as experiments, in a class each.
@NullMarked
package fathom.lab.layernorm;

import org.jspecify.annotations.NullMarked;
