package fathom.lab.edges;

import fathom.DType;
import fathom.Tensor;
import java.util.List;

/// An image of some objects on an empty background, and where their outlines are.
///
/// @param objects the number of objects drawn; later ones hide earlier ones
/// @param contrast the factor of the image without its noise
/// @param bright the objects at full contrast, without noise, in row-major order
/// @param pixels side×side brightnesses in row-major order, about 0 to 1, and 0 (plus noise) where
///   nothing is
/// @param outline 1 where the brightness of the objects differs from that of the pixel below or to
///   the right, else 0, whatever the contrast
record Scene(
    int side, int objects, double contrast, float[] bright, float[] pixels, byte[] outline) {
  /// Returns the same objects and the same noise at another contrast.
  Scene at(double contrast) {
    float[] other = new float[pixels.length];
    for (int p = 0; p < other.length; p++) {
      other[p] = (float) (pixels[p] + (contrast - this.contrast) * bright[p]);
    }
    return new Scene(side, objects, contrast, bright, other, outline);
  }

  int outlinePixels() {
    int sum = 0;
    for (byte each : outline) {
      sum += each;
    }
    return sum;
  }

  /// Returns the same scene, in which only changes of brightness of at least `step`, at the scene's
  /// contrast, are outlines.
  Scene ofSteps(double step) {
    byte[] strong = outline.clone();
    for (int p = 0; p < strong.length; p++) {
      double below = p + side < strong.length ? Math.abs(bright[p + side] - bright[p]) : 0;
      double right = (p + 1) % side > 0 ? Math.abs(bright[p + 1] - bright[p]) : 0;
      strong[p] &= (byte) (contrast * Math.max(below, right) >= step ? 1 : 0);
    }
    return new Scene(side, objects, contrast, bright, pixels, strong);
  }

  /// Returns scenes of one size as N×1×S×S.
  static Tensor images(List<Scene> scenes) {
    int side = scenes.getFirst().side;
    float[] all = new float[scenes.size() * side * side];
    for (int i = 0; i < scenes.size(); i++) {
      System.arraycopy(scenes.get(i).pixels, 0, all, i * side * side, side * side);
    }
    return Tensor.of(all, scenes.size(), 1, side, side);
  }

  /// Returns scenes of one size as N×1×S×S in float64.
  static Tensor doubles(List<Scene> scenes) {
    return images(scenes).to(DType.FLOAT64);
  }

  static byte[] outlines(List<Scene> scenes) {
    int plane = scenes.getFirst().outline.length;
    byte[] all = new byte[scenes.size() * plane];
    for (int i = 0; i < scenes.size(); i++) {
      System.arraycopy(scenes.get(i).outline, 0, all, i * plane, plane);
    }
    return all;
  }
}
