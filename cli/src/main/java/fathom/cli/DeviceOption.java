package fathom.cli;

import fathom.DeviceException;
import picocli.CommandLine.Option;

/// The option for the device that a command computes on. It does not change what a run is, so it
/// may stand beside `--resume`.
final class DeviceOption {
  /// The devices, under the names that other frameworks have for them.
  enum Device {
    CPU,
    CUDA
  }

  @OnResume
  @Rare
  @Option(
      names = "--device",
      paramLabel = "cpu|cuda",
      description = "The device that computes; this version has the processor alone. Default: cpu.")
  private Device device = Device.CPU;

  /// Throws [DeviceException] if this version cannot compute on the device.
  void check() {
    if (device != Device.CPU) {
      throw new DeviceException(
          "this version computes on the processor, but `device` is cuda; leave it out");
    }
  }
}
