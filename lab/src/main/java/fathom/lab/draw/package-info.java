/// DRAW (Gregor et al. 2015), a recurrent generator of images, with and without layer norm on the
/// cells of its LSTMs, as the layer norm paper's section 6.4 has it.
@NullMarked
package fathom.lab.draw;

import org.jspecify.annotations.NullMarked;
