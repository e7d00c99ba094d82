package fathom.lab.experiment;

import fathom.RandomKey;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.report.Scale;
import java.util.Arrays;

/// Measures how many steps gradient descent needs to bring a product of many numbers to a target,
/// with and without shortcuts: w₁·…·w_L and (1+w₁)·…·(1+w_L), a chain of linear layers of width
/// one. Source of the claim: Shamir 2019, theorem 1; row 24 of the project's list of claims.
///
/// Each start has the best of three learning rates. A start that does not reach the target counts
/// with the largest number of steps.
///
/// The experiment does not show that shortcuts always help: with the other sign of the target the
/// residual form fails too.
final class DeepProduct implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "deep-product",
        "How long does descent need to fit a product of many numbers?",
        "To bring w₁·…·w_L to 2, descent from a standard start needs a time exponential in L; with"
            + " (1+w₁)·…·(1+w_L) it does not.",
        "Shamir 2019, theorem 1; row 24",
        "1 s");
  }

  private static final double TARGET = 2;
  private static final double CLOSE = 0.01;
  private static final double LOST = 1e4;

  @Override
  public void observe(Size size, long seed, Notebook note) {
    int starts = size.of(3, 40, 200);
    int most = size.of(1000, 30_000, 100_000);
    int[] depths = {2, 4, 8, 12, 16};
    double[] plain = new double[depths.length];
    double[] residual = new double[depths.length];
    double arrived = 0;
    for (int i = 0; i < depths.length; i++) {
      double[] plainSteps = new double[starts];
      double[] residualSteps = new double[starts];
      arrived = 0;
      for (int start = 0; start < starts; start++) {
        RandomKey key = RandomKey.of(seed, "deep product").at(depths[i]).at(start);
        note.alive();
        plainSteps[start] = steps(key, depths[i], false, most);
        residualSteps[start] = steps(key, depths[i], true, most);
        arrived += plainSteps[start] < most ? 1.0 / starts : 0;
      }
      plain[i] = median(plainSteps);
      residual[i] = median(residualSteps);
    }
    note.measure("plain, 16 factors, median steps", plain[depths.length - 1], Bound.atLeast(500));
    note.measure(
        "residual, 16 factors, median steps", residual[depths.length - 1], Bound.atMost(50));
    note.measure("plain, 16 factors, share of starts that arrive", arrived);
    double[] x = Arrays.stream(depths).asDoubleStream().toArray();
    note.curve("Steps to the target", "factors", "median steps", Scale.LOG, "plain", x, plain);
    note.curve(
        "Steps to the target", "factors", "median steps", Scale.LOG, "residual", x, residual);
  }

  private static double steps(RandomKey key, int depth, boolean residual, int most) {
    double best = most;
    for (double learningRate : new double[] {0.3, 0.1, 0.03}) {
      double[] factors = new double[depth];
      for (int i = 0; i < depth; i++) {
        double uniform = 2 * key.uniform(i) - 1;
        factors[i] = residual ? 1 + 0.1 * uniform / Math.sqrt(depth) : Math.sqrt(3) * uniform;
      }
      best = Math.min(best, steps(factors, residual ? learningRate / depth : learningRate, most));
    }
    return best;
  }

  private static double steps(double[] factors, double learningRate, int most) {
    for (int step = 0; step < most; step++) {
      double product = 1;
      for (double f : factors) {
        product *= f;
      }
      double error = product - TARGET;
      if (Math.abs(error) < CLOSE) {
        return step;
      }
      if (!(Math.abs(product) < LOST)) {
        return most;
      }
      for (int i = 0; i < factors.length; i++) {
        factors[i] -= learningRate * error * product / factors[i];
      }
    }
    return most;
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
  }
}
