/// Writes nets for other programs in the ONNX format.
///
/// [Onnx] walks over a net and writes one or more ONNX operations for each layer;
/// [fathom.io.Message] encodes the format. This package does not read ONNX.
@NullMarked
package fathom.onnx;

import org.jspecify.annotations.NullMarked;
