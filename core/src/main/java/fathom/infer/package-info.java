/// Inference with trained nets that are opened from a run or a file of weights: [ImageClassifier],
/// [MaskPredictor] and [TextGenerator]. Any number of threads may call each of them.
@NullMarked
package fathom.infer;

import org.jspecify.annotations.NullMarked;
