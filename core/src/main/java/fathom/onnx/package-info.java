/// Nets for other programs: the ONNX format.
///
/// [Onnx] walks over a net and writes an operation of ONNX for each layer; [fathom.io.Message] is
/// the format's encoding. Nothing here reads ONNX.
@NullMarked
package fathom.onnx;

import org.jspecify.annotations.NullMarked;
