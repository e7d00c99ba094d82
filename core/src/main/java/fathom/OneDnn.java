package fathom;

import org.bytedeco.pytorch.CompilationUnit;
import org.bytedeco.pytorch.Dispatcher;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.OperatorHandle;
import org.bytedeco.pytorch.QualifiedName;
import org.bytedeco.pytorch.global.torch;

/// The private operations of libtorch that lead to oneDNN, and their arguments that never change.
/// Not every build has them, so whoever calls them finds out first, with a small problem whose
/// answer is known.
final class OneDnn {
  /// Builds the lists of numbers that the operations take; only libtorch's script language can make
  /// them.
  private static final CompilationUnit LISTS =
      torch.compile(
          """
          def two(a: int, b: int) -> List[int]:
              return [a, b]
          def four(a: int, b: int, c: int, d: int) -> List[int]:
              return [a, b, c, d]
          def scalars() -> List[Optional[number]]:
              none: List[Optional[number]] = []
              return none
          """);

  static final OperatorHandle REORDER = operation("_reorder_convolution_weight", "");
  static final OperatorHandle CONVOLUTION = operation("_convolution_pointwise", "");
  static final OperatorHandle CONVOLUTION_ONTO = operation("_convolution_pointwise_", "binary");
  static final OperatorHandle LINEAR = operation("_linear_pointwise", "");
  static final IValue ONE = new IValue(1L);
  static final IValue ONES = list(1, 1);
  static final IValue NO_SCALARS = run("scalars");
  static final IValue NULL = new IValue();
  static final IValue NONE = new IValue("none");
  static final IValue RELU = new IValue("relu");
  static final IValue ADD = new IValue("add");

  private OneDnn() {}

  private static OperatorHandle operation(String name, String overload) {
    return Dispatcher.singleton().findSchemaOrThrow("mkldnn::" + name, overload);
  }

  static IValue list(long... numbers) {
    var values = new IValue[numbers.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = new IValue(numbers[i]);
    }
    return run(numbers.length == 2 ? "two" : "four", values);
  }

  private static IValue run(String function, IValue... arguments) {
    try (var name = new QualifiedName(function);
        var stack = new IValueVector(arguments)) {
      LISTS.find_function(name).run(stack);
      return new IValue(stack.get(0));
    }
  }

  static Tensor call(OperatorHandle operation, IValue... arguments) {
    try (var stack = new IValueVector(arguments)) {
      operation.callBoxed(stack);
      return Tensor.adopt(new org.bytedeco.pytorch.Tensor(stack.get(0).toTensor()));
    }
  }
}
