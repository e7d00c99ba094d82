package fathom.nn;

import fathom.DType;
import fathom.Layer;
import fathom.Param;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import fathom.kernel.BatchNormKernel;
import fathom.kernel.Kernels;
import fathom.parallel.Step;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Batch norm (Ioffe and Szegedy 2015): y = γ·(x − μ)/√(σ² + ε) + β, with the mean and biased
/// variance of each channel over the whole batch, of all workers and all pixels of N×C×H×W, or the
/// rows of N×C. The sums of each worker are added up in float64, so statistics and gradients do not
/// depend on how many there are.
///
/// Prediction uses running statistics: a moving average with momentum 0.1 of the mean and the
/// unbiased variance, committed on the way back.
public record BatchNorm(
    Param weight, Param bias, Param runningMean, Param runningVariance, boolean perWorker)
    implements Layer {
  /// ε, inside the square root.
  public static final double EPSILON = 1e-5;

  static final double MOMENTUM = 0.1;

  /// Gains 1, biases 0, running mean 0 and variance 1.
  public static BatchNorm of(int channels) {
    return new BatchNorm(
        Param.of(Tensor.zeros(DType.FLOAT32, channels).plus(1)),
        Param.of(Tensor.zeros(DType.FLOAT32, channels)),
        Param.buffer(Tensor.zeros(DType.FLOAT32, channels)),
        Param.buffer(Tensor.zeros(DType.FLOAT32, channels).plus(1)),
        false);
  }

  /// The same with the statistics of each worker's share alone, as on the paper's two GPUs.
  public BatchNorm ofShards() {
    return new BatchNorm(weight, bias, runningMean, runningVariance, true);
  }

  @Override
  public Traced forward(Tensor x) {
    Joined joined = forward(x, null, false);
    return new Traced(joined.value(), dy -> joined.back().apply(dy).dx());
  }

  @Override
  public Shape shape(Shape x) {
    return x;
  }

  @Override
  public Tensor predict(Tensor x) {
    return predict(x, null, false);
  }

  /// Batch norm together with what follows it: `[norm(x) + addend]`, rectified or not.
  record Joined(Tensor value, Back back) {}

  interface Back {
    Gradients apply(Tensor dy);
  }

  /// dE/dx and, where there was an addend, dE/daddend.
  record Gradients(Tensor dx, @Nullable Tensor daddend) {}

  Joined forward(Tensor x, @Nullable Tensor addend, boolean rectify) {
    Tensor input = input(x);
    BatchNormKernel kernel = Kernels.batchNorm(input);
    Statistics statistics = Statistics.of(kernel, input, perWorker);
    double[] gain = weight.value().toDoubles();
    double[] shift = bias.value().toDoubles();
    Tensor y;
    try (var scope = Scope.open()) {
      Tensor added = addend == null ? null : addend.channelsLast();
      y =
          scope.keep(
              kernel.normalize(
                  input, statistics.mean, statistics.scaled(gain), shift, added, rectify));
    }
    return new Joined(
        y, back(new Way(input, statistics, gain), shift, addend != null, rectify ? y : null));
  }

  /// What the way back needs to know of the way forward.
  private record Way(Tensor x, Statistics statistics, double[] gain) {}

  private Back back(Way way, double[] shift, boolean wantsAddend, @Nullable Tensor rectified) {
    if (rectified == null) {
      return dy -> {
        Tensor dx = back(way, dy, null);
        // Its cotangent is dy itself.
        return new Gradients(dx, wantsAddend ? dy.alias() : null);
      };
    }
    if (wantsAddend) {
      return dy -> backPastAddend(way, dy, rectified);
    }
    double[] scale = way.statistics.scaled(way.gain);
    return dy -> new Gradients(back(way, dy, new BatchNormKernel.Rectified(scale, shift)), null);
  }

  private Tensor back(Way way, Tensor dy, BatchNormKernel.@Nullable Rectified rectified) {
    try (var scope = Scope.open()) {
      Tensor x = way.x;
      BatchNormKernel kernel = Kernels.batchNorm(x);
      Tensor g = dy.channelsLast();
      double[] sums = new double[2 * channels()];
      kernel.momentsBack(g, x, way.statistics.mean, rectified, sums);
      return scope.keep(normalizeBack(kernel, way, g, rectified, sums));
    }
  }

  private Gradients backPastAddend(Way way, Tensor dy, Tensor y) {
    try (var scope = Scope.open()) {
      Tensor x = way.x;
      BatchNormKernel kernel = Kernels.batchNorm(x);
      double[] sums = new double[2 * channels()];
      Tensor g = kernel.momentsBack(dy.channelsLast(), y, x, way.statistics.mean, sums);
      Tensor dx = normalizeBack(kernel, way, g, null, sums);
      return new Gradients(scope.keep(dx), scope.keep(g));
    }
  }

  /// dx = γ/σ · (g − Σg/n − (x − μ)/σ² · Σg·(x − μ)/n), in the innermost scope, with the sums of
  /// this worker's rows, which become gradients and then the sums of all.
  private Tensor normalizeBack(
      BatchNormKernel kernel,
      Way way,
      Tensor g,
      BatchNormKernel.@Nullable Rectified rectified,
      double[] sums) {
    Statistics statistics = way.statistics;
    accumulate(sums, statistics);
    if (!perWorker) {
      Step.current().collective().allReduce(sums);
    }
    int channels = channels();
    double[] a = statistics.scaled(way.gain);
    double[] b = new double[channels];
    double[] c = new double[channels];
    for (int i = 0; i < channels; i++) {
      double r = statistics.reciprocal[i];
      b[i] = -a[i] * r * r * sums[channels + i] / statistics.count;
      c[i] = -a[i] * sums[i] / statistics.count;
    }
    Tensor dx = kernel.normalizeBack(g, way.x, statistics.mean, rectified, a, b, c);
    commit(statistics);
    return dx;
  }

  /// dβ += Σg and dγ += Σg·(x − μ)/σ, over this worker's rows: the trainer sums gradients over
  /// workers.
  private void accumulate(double[] sums, Statistics statistics) {
    int channels = channels();
    double[] dgain = new double[channels];
    double[] dshift = new double[channels];
    for (int i = 0; i < channels; i++) {
      dshift[i] = sums[i];
      dgain[i] = sums[channels + i] * statistics.reciprocal[i];
    }
    weight.grad().add_(dgain);
    bias.grad().add_(dshift);
  }

  private void commit(Statistics statistics) {
    if (statistics.count > 0) { // a worker without rows has none of its own
      move(runningMean.value(), statistics.mean);
      move(runningVariance.value(), statistics.unbiasedVariance());
    }
  }

  private static void move(Tensor running, double[] now) {
    double[] average = running.toDoubles();
    for (int i = 0; i < average.length; i++) {
      average[i] += MOMENTUM * (now[i] - average[i]);
    }
    running.copy_(average);
  }

  Tensor predict(Tensor x, @Nullable Tensor addend, boolean rectify) {
    try (var scope = Scope.open()) {
      Tensor input = input(x);
      double[] scale = weight.value().toDoubles();
      double[] variance = runningVariance.value().toDoubles();
      for (int i = 0; i < scale.length; i++) {
        scale[i] /= Math.sqrt(variance[i] + EPSILON);
      }
      double[] mean = runningMean.value().toDoubles();
      double[] shift = bias.value().toDoubles();
      Tensor added = addend == null ? null : addend.channelsLast();
      return scope.keep(
          Kernels.batchNorm(input).normalize(input, mean, scale, shift, added, rectify));
    }
  }

  private Tensor input(Tensor x) {
    int rank = x.shape().rank();
    if ((rank != 2 && rank != 4) || x.shape().size(1) != channels()) {
      throw new IllegalArgumentException(
          "%s needs N×%s or N×%s×H×W, but was given %s"
              .formatted(this, channels(), channels(), x.shape()));
    }
    return x.channelsLast();
  }

  private int channels() {
    return (int) weight.value().shape().size(0);
  }

  /// Mean, biased variance and reciprocal standard deviation per channel over `count` rows.
  private record Statistics(double[] mean, double[] variance, double[] reciprocal, double count) {
    static Statistics of(BatchNormKernel kernel, Tensor x, boolean perWorker) {
      int channels = Math.toIntExact(x.shape().size(1));
      double[] sums = new double[2 * channels + 1];
      kernel.moments(x, sums);
      sums[2 * channels] = channels == 0 ? 0 : (double) x.shape().elements() / channels;
      if (!perWorker) {
        Step.current().collective().allReduce(sums);
      }
      double count = sums[2 * channels];
      double rows = Math.max(1, count); // 0/0 would make the gradients of no rows NaN
      double[] mean = new double[channels];
      double[] variance = new double[channels];
      double[] reciprocal = new double[channels];
      for (int i = 0; i < channels; i++) {
        mean[i] = sums[i] / rows;
        variance[i] = Math.max(0, sums[channels + i] / rows - mean[i] * mean[i]);
        reciprocal[i] = 1 / Math.sqrt(variance[i] + EPSILON);
      }
      return new Statistics(mean, variance, reciprocal, count);
    }

    double[] scaled(double[] gain) {
      double[] scale = new double[gain.length];
      for (int i = 0; i < scale.length; i++) {
        scale[i] = gain[i] * reciprocal[i];
      }
      return scale;
    }

    double[] unbiasedVariance() {
      double[] unbiased = new double[variance.length];
      for (int i = 0; i < unbiased.length; i++) {
        unbiased[i] = variance[i] * count / Math.max(1, count - 1);
      }
      return unbiased;
    }
  }

  @Override
  public Map<String, Param> own() {
    var byName = new LinkedHashMap<String, Param>();
    byName.put("weight", weight);
    byName.put("bias", bias);
    byName.put("running_mean", runningMean);
    byName.put("running_var", runningVariance);
    return byName;
  }

  @Override
  public String toString() {
    return "BatchNorm " + channels();
  }
}
