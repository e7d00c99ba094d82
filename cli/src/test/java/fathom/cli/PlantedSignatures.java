package fathom.cli;

import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.tools.ParserException;

/// A signature that shows a type of the engine: one place in each class, and no place in the last.
public final class PlantedSignatures {
  private PlantedSignatures() {}

  public static class InAValue {
    public Pointer[] value() {
      return new Pointer[0];
    }
  }

  public static class InAParameter {
    protected void take(int count, Pointer value) {}
  }

  public static class InAnArgumentOfAParameter {
    public void take(Map<String, ? super Pointer> values) {}
  }

  public static class InAConstructor {
    public InAConstructor(Supplier<List<Pointer>> values) {}
  }

  public static class InAField {
    public List<Pointer> values = List.of();
  }

  public static class InAnException {
    public void fail() throws ParserException {}
  }

  public static class InABound {
    public <T extends Pointer> void take(T value) {}
  }

  public static class InABoundOfTheClass<T extends Pointer> {}

  public abstract static class InAnInterface implements Supplier<Pointer> {}

  public static class InAParent extends Pointer {}

  public record InARecord(int count, Pointer value) {}

  public static class Nowhere {
    private Pointer value = new Pointer();

    Pointer value() {
      take(value);
      return value;
    }

    private void take(Pointer value) {
      this.value = value;
    }
  }
}
