package fathom.report.run;

import fathom.report.HeatMap;
import fathom.train.Metrics;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.function.Function;

/// Draws the layers of a run over time as heat maps, from what `train --watch` recorded.
final class WatchedLayers {
  private WatchedLayers() {}

  /// Returns a map for each quantity that was watched.
  static List<HeatMap> maps(List<Metrics.Watch> watched, List<Metrics.Epoch> epochs) {
    var maps = new ArrayList<HeatMap>();
    add(
        maps,
        "Gradients over time",
        "The norm of the gradient of each layer's weights in the last step of an epoch, before"
            + " clipping.",
        "‖dE/dW‖",
        watched,
        epochs,
        Metrics.Watch::gradients);
    add(
        maps,
        "Responses over time",
        "The standard deviation of the output of each norm over a fixed batch, before the rectifier and the"
            + " addition.",
        "standard deviation",
        watched,
        epochs,
        Metrics.Watch::responses);
    add(
        maps,
        "Updates over time",
        "How far the last step of an epoch moved each layer's weights, as a share of their norm.",
        "‖ΔW‖/‖W‖",
        watched,
        epochs,
        Metrics.Watch::updates);
    return maps;
  }

  private static void add(
      List<HeatMap> maps,
      String title,
      String caption,
      String unit,
      List<Metrics.Watch> watched,
      List<Metrics.Epoch> epochs,
      Function<Metrics.Watch, List<Metrics.Layers.Entry>> entries) {
    var rows = new LinkedHashMap<String, List<Double>>();
    for (int c = 0; c < watched.size(); c++) {
      for (Metrics.Layers.Entry entry : entries.apply(watched.get(c))) {
        List<Double> row = rows.computeIfAbsent(entry.layer(), _ -> new ArrayList<>());
        while (row.size() < c) {
          row.add(Double.NaN);
        }
        row.add(entry.value());
      }
    }
    if (rows.isEmpty()) {
      return;
    }
    rows.values()
        .forEach(row -> {
          while (row.size() < watched.size()) {
            row.add(Double.NaN);
          }
        });
    maps.add(
        new HeatMap(
            title,
            caption,
            "epoch",
            "layer",
            unit,
            List.copyOf(rows.keySet()),
            watched.stream().map(watch -> epoch(watch.step(), epochs)).toList(),
            List.copyOf(rows.values())));
  }

  private static String epoch(long step, List<Metrics.Epoch> epochs) {
    return epochs.stream()
        .filter(epoch -> epoch.step() == step)
        .map(epoch -> Integer.toString(epoch.epoch()))
        .findFirst()
        .orElse("of step " + step);
  }
}
