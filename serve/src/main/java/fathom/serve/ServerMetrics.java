package fathom.serve;

import fathom.Tensor;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.function.IntSupplier;
import java.util.stream.IntStream;

/// What a server counts, in a registry of its own.
final class ServerMetrics {
  private static final Duration[] LATENCIES =
      IntStream.of(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)
          .mapToObj(Duration::ofMillis)
          .toArray(Duration[]::new);

  private static final double[] BATCHES = {1, 2, 4, 8, 16, 32, 64, 128, 256};

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);

  ServerMetrics() {
    new JvmMemoryMetrics().bindTo(registry);
    Gauge.builder("fathom.tensors", Tensor::liveBytes)
        .baseUnit("bytes")
        .description("Native memory of tensors")
        .register(registry);
  }

  void connections(IntSupplier open) {
    Gauge.builder("fathom.connections", open::getAsInt)
        .description("Open connections")
        .register(registry);
  }

  void serves(String model, Models models) {
    Gauge.builder("fathom.queue.depth", () -> models.get(model).depth())
        .description("Images that were admitted and are not answered")
        .tag("model", model)
        .register(registry);
    Gauge.builder("fathom.model.version", () -> models.get(model).version())
        .description("How often the model was loaded")
        .tag("model", model)
        .register(registry);
  }

  void batch(String model, int images) {
    DistributionSummary.builder("fathom.batch.images")
        .description("Images that were predicted together")
        .serviceLevelObjectives(BATCHES)
        .tag("model", model)
        .register(registry)
        .record(images);
  }

  /// Counts an answer.
  void answered(Request request, int status, Duration time) {
    Timer.builder("fathom.requests")
        .description("From the head of a request to the last byte of its answer")
        .serviceLevelObjectives(LATENCIES)
        .tag("operation", request.operation())
        .tag("model", request.model())
        .tag("status", Integer.toString(status))
        .register(registry)
        .record(time);
  }

  /// Counts a request that was refused, or whose client has gone.
  ///
  /// @param reason one of a short list
  void rejected(String reason) {
    Counter.builder("fathom.rejections")
        .description("Requests without a prediction, by the reason")
        .tag("reason", reason)
        .register(registry)
        .increment();
  }

  String scrape() {
    return registry.scrape();
  }

  void close() {
    registry.close();
  }
}
