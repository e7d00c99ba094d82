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

/// Batch norm (Ioffe and Szegedy 2015): y = γ·(x − μ)/√(σ² + ε) + β. The mean μ and the biased
/// variance σ² of each channel are taken over the batch of all workers that [Step#statistics()]
/// has, which are all of the process or of all processes: over the rows of N×C, or over all pixels
/// of N×C×H×W. The sums of the workers are added in float64, so that statistics and gradients do
/// not depend on the number of workers beyond rounding.
///
/// Prediction uses running statistics: moving averages with momentum 0.1 of the mean and of the
/// unbiased variance, which the pullback commits.
///
/// @param weight the gains γ
/// @param bias the biases β
/// @param runningMean the running mean of each channel, a buffer
/// @param runningVariance the running variance of each channel, a buffer
/// @param perWorker whether each worker normalises its own share of the batch alone
public record BatchNorm(
    Param weight, Param bias, Param runningMean, Param runningVariance, boolean perWorker)
    implements Layer {
  /// The number ε inside the square root.
  public static final double EPSILON = 1e-5;

  static final double MOMENTUM = 0.1;

  /// Returns a batch norm with gains 1, biases 0, running means 0 and running variances 1.
  public static BatchNorm of(int channels) {
    return new BatchNorm(
        Param.of(Tensor.zeros(DType.FLOAT32, channels).plus(1)),
        Param.of(Tensor.zeros(DType.FLOAT32, channels)),
        Param.buffer(Tensor.zeros(DType.FLOAT32, channels)),
        Param.buffer(Tensor.zeros(DType.FLOAT32, channels).plus(1)),
        false);
  }

  /// Returns this norm with statistics of each worker's share of the batch alone, as on the two
  /// GPUs of the residual paper.
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

  /// The output of batch norm fused with the layers behind it, `norm(x)` or `norm(x) + addend`,
  /// with or without ReLU, and its backward pass.
  record Joined(Tensor value, Back back) {}

  interface Back {
    Gradients apply(Tensor dy);
  }

  /// The cotangent dE/dx and, if there was an addend, dE/daddend.
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

  /// What the backward pass needs from the forward pass.
  private record Way(Tensor x, Statistics statistics, double[] gain) {}

  private Back back(Way way, double[] shift, boolean wantsAddend, @Nullable Tensor rectified) {
    if (rectified == null) {
      return dy -> {
        Tensor dx = back(way, dy, null);
        // Without ReLU, the cotangent of the addend is dy itself.
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

  /// Returns the output of training, and moves the running statistics by this share of the way to
  /// those of the batch; see [RunningStatistics].
  Tensor average(Tensor x, double share) {
    Tensor input = input(x);
    BatchNormKernel kernel = Kernels.batchNorm(input);
    Statistics statistics = Statistics.of(kernel, input, perWorker);
    commit(statistics, share);
    double[] scale = statistics.scaled(weight.value().toDoubles());
    return kernel.normalize(input, statistics.mean, scale, bias.value().toDoubles(), null, false);
  }

  /// Returns dx = γ/σ · (g − Σg/n − (x − μ)/σ² · Σg·(x − μ)/n) in the innermost scope. The argument
  /// `sums` holds the sums of this worker's rows, which first become its gradients and are then
  /// summed over all workers.
  private Tensor normalizeBack(
      BatchNormKernel kernel,
      Way way,
      Tensor g,
      BatchNormKernel.@Nullable Rectified rectified,
      double[] sums) {
    Statistics statistics = way.statistics;
    accumulate(sums, statistics);
    if (!perWorker) {
      Step.current().statistics().allReduce(sums);
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
    commit(statistics, MOMENTUM);
    return dx;
  }

  /// Adds Σg to dβ and Σg·(x − μ)/σ to dγ, over this worker's rows only, because the trainer sums
  /// gradients over workers.
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

  private void commit(Statistics statistics, double share) {
    if (statistics.count > 0) { // a worker without rows has no statistics of its own
      move(runningMean.value(), statistics.mean, share);
      move(runningVariance.value(), statistics.unbiasedVariance(), share);
    }
  }

  private static void move(Tensor running, double[] now, double share) {
    double[] average = running.toDoubles();
    for (int i = 0; i < average.length; i++) {
      average[i] += share * (now[i] - average[i]);
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

  /// The mean, biased variance and reciprocal standard deviation of each channel over `count` rows.
  private record Statistics(double[] mean, double[] variance, double[] reciprocal, double count) {
    static Statistics of(BatchNormKernel kernel, Tensor x, boolean perWorker) {
      int channels = Math.toIntExact(x.shape().size(1));
      double[] sums = new double[2 * channels + 1];
      kernel.moments(x, sums);
      sums[2 * channels] = channels == 0 ? 0 : (double) x.shape().elements() / channels;
      if (!perWorker) {
        Step.current().statistics().allReduce(sums);
      }
      double count = sums[2 * channels];
      double rows = Math.max(1, count); // because 0/0 would make the gradients of no rows NaN
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
