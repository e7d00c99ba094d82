/// Image classifiers behind HTTP: [ModelServer] speaks the Open Inference Protocol, runs together
/// what waits together, and bounds everything that a request can take.
@NullMarked
package fathom.serve;

import org.jspecify.annotations.NullMarked;
