package fathom;

/// Thrown when this machine cannot do what the program asks for, for example because its memory is
/// too small. The same request may succeed on another machine.
public final class DeviceException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public DeviceException(String message) {
    super(message);
  }
}
