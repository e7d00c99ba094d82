/// Workers that run one program and meet in a [fathom.Collective].
@NullMarked
package fathom.parallel;

import org.jspecify.annotations.NullMarked;
