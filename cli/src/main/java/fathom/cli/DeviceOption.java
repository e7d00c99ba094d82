package fathom.cli;

import fathom.DeviceException;
import picocli.CommandLine.Option;

/// On what a command computes. It changes no meaning of a run, so it may stand beside `--resume`.
final class DeviceOption {
  /// Devices by the names that others have for them.
  enum Device {
    CPU,
    CUDA
  }

  @OnResume
  @Option(
      names = "--device",
      paramLabel = "cpu|cuda",
      description = "What computes. This version has the processor alone. Default: cpu.")
  private Device device = Device.CPU;

  /// Throws [DeviceException] for what this version cannot compute on.
  void check() {
    if (device != Device.CPU) {
      throw new DeviceException(
          "this version computes on the processor, but `device` is cuda; leave it out");
    }
  }
}
