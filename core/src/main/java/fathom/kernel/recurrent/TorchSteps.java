package fathom.kernel.recurrent;

import fathom.Scope;
import fathom.Tensor;
import fathom.kernel.RowNorm;
import fathom.kernel.TorchRowNorm;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The part that all cells as libtorch's operations share. All sequences take a step together; for
/// a sequence that has ended, its state is then copied over the result, row by row. The code reads
/// no memory itself, so the tensors may be on any device.
final class TorchSteps implements Cell {
  /// The equations of a cell for all sequences at one time.
  interface Row {
    /// Takes a step from W_x·x and W_h·h, N×G, and the states before it, N×H; `c` is empty for a
    /// cell without a cell state.
    Step forward(Tensor ax, Tensor ah, Tensor h, Tensor c);
  }

  /// The states after a step, with the step's pullback.
  ///
  /// @param c the cell state, or null for a cell without one
  /// @param kept the tensors that the pullback needs; all others are freed at the end of the step
  record Step(Tensor h, @Nullable Tensor c, Way back, List<Tensor> kept) {}

  /// The pullback of a step: from the cotangents of the states after it to those of its arguments.
  interface Way {
    Cotangents apply(Tensor dh, Tensor dc);
  }

  /// The cotangents of a step's arguments.
  ///
  /// @param dh the cotangent of the hidden state, without the part that comes through `ah`
  /// @param dc the cotangent of the cell state, or null for a cell without one
  record Cotangents(Tensor dax, Tensor dah, Tensor dh, @Nullable Tensor dc) {}

  private static final RowNorm NORM = new TorchRowNorm();

  final Unrolled u;
  final CellWeights weights;
  final CellGradients gradients;
  private final Row row;
  private final Way[] ways;

  TorchSteps(Unrolled u, Function<TorchSteps, Row> cell) {
    this.u = u;
    this.weights = u.weights();
    this.gradients =
        new CellGradients(
            weights.gainX().zerosLike(),
            weights.biasX().zerosLike(),
            weights.gainH().zerosLike(),
            weights.biasH().zerosLike(),
            weights.gainC().zerosLike(),
            weights.biasC().zerosLike());
    this.ways = new Way[u.steps()];
    this.row = cell.apply(this);
  }

  @Override
  public void forward(int t) {
    try (var scope = Scope.open()) {
      Tensor ax = at(u.ax(), t);
      for (int n = 0; n < u.count() && u.anyStands(t); n++) {
        if (!u.active(t, n)) { // the padding may hold anything, NaN too
          row(ax, n).zero_();
        }
      }
      boolean cells = u.c().shape().size(0) > 0;
      Tensor before = cells ? at(u.c(), t) : u.c();
      Step step = row.forward(ax, at(u.ah(), t), at(u.h(), t), before);
      advance(t, u.h(), step.h);
      if (step.c != null) {
        advance(t, u.c(), step.c);
      }
      step.kept.forEach(scope::keep);
      ways[t] = step.back;
    }
  }

  private void advance(int t, Tensor states, Tensor after) {
    Tensor to = at(states, t + 1).copy_(after);
    for (int n = 0; n < u.count(); n++) {
      if (!u.active(t, n)) {
        row(to, n).copy_(row(at(states, t), n));
      }
    }
  }

  @Override
  public void backward(int t, Tensor dy, Back back) {
    try (var _ = Scope.open()) {
      Tensor dh = at(dy, t).plus(back.product()).plus(back.carry());
      boolean cells = u.c().shape().size(0) > 0;
      Tensor dc = cells ? back.dc().plus(0) : back.dc();
      Tensor passed = dh.plus(0);
      for (int n = 0; n < u.count(); n++) {
        if (!u.active(t, n)) {
          row(dh, n).zero_();
          if (cells) {
            row(dc, n).zero_();
          }
        }
      }
      Cotangents d = ways[t].apply(dh, dc);
      at(u.ax(), t).copy_(d.dax);
      at(u.ah(), t).copy_(d.dah);
      back.carry().copy_(d.dh);
      for (int n = 0; n < u.count(); n++) {
        if (u.active(t, n)) {
          if (d.dc != null) {
            row(back.dc(), n).copy_(row(d.dc, n));
          }
        } else { // the cotangent of its cell state stays as it is
          row(back.carry(), n).copy_(row(passed, n));
          row(at(u.ax(), t), n).zero_();
          row(at(u.ah(), t), n).zero_();
        }
      }
    }
  }

  @Override
  public CellGradients gradients() {
    return gradients;
  }

  /// The rows of one time, N×F.
  private static Tensor at(Tensor all, int t) {
    long[] shape = all.shape().toArray();
    return all.narrow(0, t, t + 1L).reshape(shape[1], shape[2]);
  }

  private static Tensor row(Tensor rows, int n) {
    return rows.narrow(0, n, n + 1L);
  }

  /// One gate, N×H, in memory of its own.
  Tensor gate(Tensor all, int gate) {
    return gates(all, gate, gate + 1);
  }

  Tensor gates(Tensor all, int from, int to) {
    return all.narrow(1, (long) from * u.padded(), (long) to * u.padded()).contiguous();
  }

  // ---- Norms

  /// The result of LN(a) with gain and bias, each group of gates by its own statistics, with what
  /// the backward pass needs of each group.
  record Normed(Tensor value, List<RowNorm.Normed> groups) {
    List<Tensor> kept() {
      var kept = new ArrayList<Tensor>();
      for (RowNorm.Normed group : groups) {
        kept.add(group.s());
        kept.add(group.statistics());
      }
      return kept;
    }
  }

  /// Normalizes `a`, N×G, or only adds the bias if there is no norm.
  Normed normalized(Tensor a, Tensor gain, Tensor bias) {
    if (!u.normed()) {
      return new Normed(a.plus(bias), List.of());
    }
    var groups = new ArrayList<RowNorm.Normed>();
    for (int from = 0; from < u.gates(); from = u.end(from)) {
      Tensor own = gates(a, from, u.end(from));
      groups.add(NORM.forward(form(from, u.end(from), gain, bias), own, null));
    }
    var values = groups.stream().map(RowNorm.Normed::value).toList();
    return new Normed(
        values.size() == 1 ? values.getFirst() : Tensor.concatenated(1, values), groups);
  }

  /// Returns the cotangent of a for `dz`, the cotangent of the result of [#normalized]; adds to the
  /// sums of dgain and dbias.
  private Tensor normalizedBack(
      Tensor dz, Normed normed, Tensor gain, Tensor bias, Tensor dgain, Tensor dbias) {
    if (!u.normed()) {
      dbias.add_(dz.sum(0).reshape(dbias.shape().toArray()));
      return dz;
    }
    var parts = new ArrayList<Tensor>();
    int from = 0;
    for (RowNorm.Normed group : normed.groups) {
      int to = u.end(from);
      var d = NORM.backward(form(from, to, gain, bias), gates(dz, from, to), group, null);
      add(slice(dgain, from, to), d.dgain());
      add(slice(dbias, from, to), d.dbias());
      parts.add(d.dx());
      from = to;
    }
    return parts.size() == 1 ? parts.getFirst() : Tensor.concatenated(1, parts);
  }

  /// Returns the cotangent of W_x·x for `dz`, the cotangent of its normalized form.
  Tensor inputBack(Tensor dz, Normed x) {
    return normalizedBack(
        dz, x, weights.gainX(), weights.biasX(), gradients.gainX(), gradients.biasX());
  }

  /// Returns the cotangent of W_h·h for `dz`, the cotangent of its normalized form.
  Tensor recurrentBack(Tensor dz, Normed h) {
    return normalizedBack(
        dz, h, weights.gainH(), weights.biasH(), gradients.gainH(), gradients.biasH());
  }

  private RowNorm.Form form(int from, int to, Tensor gain, Tensor bias) {
    int width = (to - from) * u.hidden();
    return new RowNorm.Form(width, slice(gain, from, to), slice(bias, from, to), u.epsilon(), true);
  }

  private Tensor slice(Tensor perUnit, int from, int to) {
    return perUnit.narrow(0, (long) from * u.padded(), (long) to * u.padded());
  }

  /// Normalizes the cell state, which is one gate wide.
  RowNorm.Normed normalizedCell(Tensor c) {
    return u.normed()
        ? NORM.forward(cellForm(), c, null)
        : new RowNorm.Normed(c, c, c); // without a norm the cell state is read as it is
  }

  Tensor normalizedCellBack(Tensor dread, RowNorm.Normed normed) {
    if (!u.normed()) {
      return dread;
    }
    var d = NORM.backward(cellForm(), dread, normed, null);
    add(gradients.gainC(), d.dgain());
    add(gradients.biasC(), d.dbias());
    return d.dx();
  }

  private static void add(Tensor sum, @Nullable Tensor gradient) {
    sum.add_(Objects.requireNonNull(gradient).to(sum.type()));
  }

  private RowNorm.Form cellForm() {
    return new RowNorm.Form(u.hidden(), weights.gainC(), weights.biasC(), u.epsilon(), true);
  }

  @SafeVarargs
  static List<Tensor> all(List<Tensor>... lists) {
    List<Tensor> all = new ArrayList<>();
    for (List<Tensor> each : lists) {
      all.addAll(each);
    }
    return all;
  }
}
