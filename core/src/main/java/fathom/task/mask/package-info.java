/// Tasks and scores for masks: a label for every pixel of an image.
@NullMarked
package fathom.task.mask;

import org.jspecify.annotations.NullMarked;
