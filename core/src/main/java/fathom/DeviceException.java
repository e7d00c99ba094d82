package fathom;

/// This machine cannot do what was asked of it; another one may.
public final class DeviceException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public DeviceException(String message) {
    super(message);
  }
}
