package fathom.cli;

import fathom.optim.Schedule;
import java.util.Arrays;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// The name of a schedule: `steps`, `cosine` or `one-cycle`.
final class CurveName implements ITypeConverter<Schedule.Curve> {
  @Override
  public Schedule.Curve convert(String text) {
    return Arrays.stream(Schedule.Curve.values())
        .filter(curve -> curve.name().replace('_', '-').equals(text.toUpperCase(Locale.ROOT)))
        .findFirst()
        .orElseThrow(() ->
            new TypeConversionException(
                "expected steps, cosine or one-cycle, but was \"%s\"".formatted(text)));
  }
}
