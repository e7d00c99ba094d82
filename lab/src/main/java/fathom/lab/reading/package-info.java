/// What reads word by word, as experiments: the claims of *Layer Normalization* (Ba, Kiros and
/// Hinton 2016, sections 6.1 and 6.2) on encoders of phrases and on questions about a text.
@NullMarked
package fathom.lab.reading;

import org.jspecify.annotations.NullMarked;
