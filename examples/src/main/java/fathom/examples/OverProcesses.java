// A training over several processes: the program is the same in each, and a launcher starts them,
// as torchrun --nproc-per-node 2 --no-python java ... does. Started by hand it is one process.
package fathom.examples;

import fathom.data.DataSet;
import fathom.parallel.*;
import fathom.task.ImageClassification;
import fathom.train.Trainer;

final class OverProcesses {
  private OverProcesses() {}

  static void main() {
    Launch launch = Launch.here();
    try (var processes = Processes.join(launch, Processes.USUAL_TIMEOUT)) {
      var trained =
          Trainer.of(OwnNet::net, ImageClassification.of(DataSet.open("digits")))
              .processes(processes)
              .workers(launch.threads()) // in each process
              .epochs(10)
              .fit();
      if (processes.rank() == 0) { // all have the result
        IO.println("%s; %s".formatted(launch, trained.test()));
      }
    }
  }
}
