package fathom.lab.edges;

import fathom.data.Images;
import fathom.data.Png;
import fathom.task.mask.Palette;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;

/// Renders scenes, masks and errors as small images for the report.
final class EdgeImages {
  /// The indices of colours in [Palette]: correctly masked pixels are green, wrongly masked ones
  /// orange, and missed ones blue.
  private static final byte WRONG = 1;

  private static final byte MISSED = 2;
  private static final byte RIGHT = 3;

  private EdgeImages() {}

  /// Returns the image, its true outlines, and for each net its mask and the errors of its mask.
  /// The mask is the green and orange pixels together.
  ///
  /// @param predicted the probabilities for all images, this scene's first
  static SequencedMap<String, byte[]> row(
      Scene scene, Map<EdgeNet, double[]> predicted, double threshold) {
    var row = new LinkedHashMap<String, byte[]>();
    row.put("image", image(scene));
    row.put("truth", mask(scene, scene.outline()));
    predicted.forEach(
        (net, p) -> row.put(net + ": mask", mask(scene, labels(p, scene, threshold))));
    predicted.forEach((net, p) ->
        row.put(
            net + ": green right, orange wrong, blue missed",
            mask(scene, errors(p, scene.outline(), threshold))));
    return row;
  }

  /// Renders the image with brightness 0 as a dark grey, so that noise around it can be seen.
  private static byte[] image(Scene scene) {
    byte[] grey = new byte[scene.pixels().length];
    for (int i = 0; i < grey.length; i++) {
      grey[i] = (byte) Math.clamp(Math.round(30 + 200 * scene.pixels()[i]), 0, 255);
    }
    return Png.of(new Images(1, scene.side(), scene.side(), grey, new int[1]), 0);
  }

  private static byte[] mask(Scene scene, byte[] labels) {
    return Palette.indexed(scene.side(), scene.side(), labels);
  }

  private static byte[] labels(double[] p, Scene scene, double threshold) {
    byte[] labels = new byte[scene.outline().length];
    for (int i = 0; i < labels.length; i++) {
      labels[i] = (byte) (p[i] > threshold ? 1 : 0);
    }
    return labels;
  }

  static byte[] errors(double[] p, byte[] truth, double threshold) {
    byte[] labels = new byte[truth.length];
    for (int i = 0; i < labels.length; i++) {
      boolean predicted = p[i] > threshold;
      if (truth[i] == 1) {
        labels[i] = predicted ? RIGHT : MISSED;
      } else if (predicted) {
        labels[i] = WRONG;
      }
    }
    return labels;
  }
}
