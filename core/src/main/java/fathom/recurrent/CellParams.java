package fathom.recurrent;

import fathom.DType;
import fathom.Param;
import fathom.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The gains and biases of a recurrent layer; null where its cell has none.
record CellParams(
    @Nullable Param gainX,
    @Nullable Param biasX,
    @Nullable Param gainH,
    @Nullable Param biasH,
    @Nullable Param bias,
    @Nullable Param gainC,
    @Nullable Param biasC) {
  static CellParams of(Kind kind, GateNorm norm, int hidden) {
    int gates = kind.gates() * hidden;
    boolean normed = norm != GateNorm.NONE;
    boolean twoParts = kind != Kind.RNN; // an RNN has one norm, of the sum
    boolean gru = kind == Kind.GRU; // its recurrent bias is inside the product with r
    return new CellParams(
        normed ? ones(gates) : null,
        normed || gru ? zeros(gates) : null,
        normed && twoParts ? ones(gates) : null,
        (normed && twoParts) || gru ? zeros(gates) : null,
        kind == Kind.LSTM || (!normed && !gru) ? zeros(gates) : null,
        normed && kind == Kind.LSTM ? ones(hidden) : null,
        normed && kind == Kind.LSTM ? zeros(hidden) : null);
  }

  private static Param zeros(int size) {
    return Param.of(Tensor.zeros(DType.FLOAT32, size));
  }

  private static Param ones(int size) {
    return Param.of(Tensor.zeros(DType.FLOAT32, size).plus(1));
  }

  Map<String, Param> own() {
    var byName = new LinkedHashMap<String, Param>();
    put(byName, "gain_x", gainX);
    put(byName, "bias_x", biasX);
    put(byName, "gain_h", gainH);
    put(byName, "bias_h", biasH);
    put(byName, "bias", bias);
    put(byName, "gain_c", gainC);
    put(byName, "bias_c", biasC);
    return byName;
  }

  private static void put(Map<String, Param> byName, String name, @Nullable Param param) {
    if (param != null) {
      byName.put(name, param);
    }
  }
}
