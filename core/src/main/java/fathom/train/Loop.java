package fathom.train;

import fathom.FlatParams;
import fathom.Node;
import fathom.Param;
import fathom.Scope;
import fathom.Tensor;
import fathom.io.BadFileException;
import fathom.nn.Init;
import fathom.optim.Clip;
import fathom.optim.Optimizer;
import fathom.optim.Schedule;
import fathom.parallel.Collective;
import fathom.parallel.Step;
import fathom.task.Figures;
import fathom.task.Objective;
import fathom.task.Section;
import fathom.task.Session;
import fathom.task.Session.Part;
import fathom.task.Setting;
import fathom.task.StoppedException;
import fathom.task.Task;
import fathom.task.Watch;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The loop of a [Training], as every worker runs it; on the first worker of a process also the
/// [Moment] that its listeners see. A step is the forward pass with the loss, the backward pass,
/// the sum over the workers, and the optimizer's step.
final class Loop<N extends Node> {
  private static final Map<String, Tensor> NOTHING = Map.of();

  private final Training<N> training;
  private final Task<N> task;
  private final Plan plan;
  private final Training.Past past;
  private final Stop stop;
  private final Collective all;

  /// The workers over whose shares batch norm takes its statistics.
  private final Collective statistics;

  private final Session<N> session;
  private final N net;
  private final Phases<N> phases;
  private final FlatParams flat;
  private final MovingAverage average;
  private final Clock clock;
  private final Sums sums;
  private final int batches;
  private final long steps;
  private long step;
  private boolean stopped;
  private boolean evaluated;
  private Metrics.@Nullable Epoch best;

  /// Whether each epoch so far was better than all before it.
  private final List<Schedule.EpochEnd> ended = new ArrayList<>();

  private Schedule schedule;

  /// The epochs that were evaluated, by which every worker decides alike whether to stop early.
  private final List<Metrics.Epoch> judged = new ArrayList<>();

  /// The evaluation of the test data with the present weights, if it is known already.
  private @Nullable Figures tested;

  /// Opens the session of this worker, builds its net, and reads the checkpoint if there is one.
  Loop(Training<N> training, Collective all) {
    this.training = training;
    this.task = training.task();
    this.plan = training.plan();
    this.past = training.past();
    this.stop = training.stop();
    this.all = all;
    this.statistics = training.syncBatchNorm() ? all : all.local();
    Path checkpoint = past.checkpoint();
    long made = checkpoint == null ? 0 : Position.step(checkpoint);
    this.session =
        task.open(
            new Setting(all, plan.batch(), plan.epochs(), plan.seed(), made, stop::lookNowAndThen));
    this.sums = new Sums(session.counted());
    this.net = training.build().apply(first() && made == 0 ? Init.he(plan.seed()) : Init.zeros());
    this.phases = new Phases<>(plan.tuning(), task, net);
    this.batches = session.steps();
    this.flat = share(made);
    if (made == 0 && all.size() > all.local().size()) {
      all.broadcast(flat.value(), 0); // in case that another process has drawn other weights
      Statistics.share(net, all);
    }
    session.start(net);
    this.average = new MovingAverage(net, flat, all, plan.ema());
    this.steps = (long) plan.epochs() * batches;
    Position before = checkpoint == null ? null : resume(checkpoint);
    double seconds = before == null ? 0 : before.seconds();
    double perSecond = before == null ? 0 : before.examplesPerSecond();
    evaluated = step % batches != 0 || perSecond == 0 || past.otherData();
    for (Metrics.Epoch epoch : past.epochs()) {
      note(epoch);
      evaluated |= epoch.step() == step;
      seconds = Math.max(seconds, epoch.seconds());
    }
    schedule = plan.schedule().after(ended);
    if (evaluated && step % batches == 0) {
      sums.clear();
    }
    this.clock = new Clock(seconds, perSecond);
    all.barrier();
  }

  void train() {
    hear(listener -> listener.begin(moment(NOTHING), evaluated));
    all.barrier(); // listeners may look at layers, whose weights all workers share
    if (!evaluated) {
      average.during(
          this::evaluate); // it was stopped between the last step of an epoch and its evaluation
    }
    while (step < steps && !stopped && !stopsEarly()) {
      epoch((int) (step / batches));
    }
    end();
  }

  /// Whether the training ends before its last epoch; never inside of an epoch.
  private boolean stopsEarly() {
    return step % batches == 0 && plan.earlyStop().stop(judged) != null;
  }

  /// Trains for the rest of an epoch, and always writes a checkpoint at its end.
  private void epoch(int epoch) {
    phases.begin(epoch);
    if (first() && phases.thaws(step, batches)) {
      training.share(new Training.Shared(flat, plan.optimizer().over(flat, 0)));
    }
    session.begin(epoch, (int) (step % batches));
    clock.begin();
    do {
      step((int) (step % batches));
    } while (step % batches != 0 && !stopped);
    if (step % batches == 0) {
      estimate();
      if (plan.ema() > 0) {
        average.during(this::estimate);
      }
    }
    save();
    if (step % batches == 0 && !stopped) {
      average.during(this::evaluate);
    }
  }

  private void estimate() {
    Statistics.estimate(session, task, phases.net(), plan, all, statistics, step);
    Statistics.share(net, all);
  }

  private void step(int batch) {
    tested = null;
    int examples = session.examples(batch);
    var context = new Step(plan.seed(), step, all, examples, statistics);
    hear(listener -> listener.before(moment(NOTHING)));
    try (var _ = Scope.open()) {
      double[] share = context.run(() -> forwardAndBack(phases.fused(), batch));
      all.allReduce(share);
      Tensor gradient = flat.gradient();
      all.allReduce(gradient);
      if (!Double.isFinite(share[0]) || !Double.isFinite(gradient.sum().item())) {
        throw context.run(() -> diverged(batch));
      }
      sums.add(share, examples);
      stopped = Sums.stops(share);
      if (first()) {
        hear(listener -> listener.gradients(moment(NOTHING)));
        if (plan.clip() > 0) {
          Clip.to(flat, plan.clip());
        }
        phases.step(optimizer(), schedule.at(step, steps));
        average.add(step);
        hear(listener -> listener.moved(moment(NOTHING)));
      } else {
        flat.gradients().fill((byte) 0);
      }
      all.local().barrier(); // no worker may read the weights before they have changed
    }
    step++;
    clock.add(examples);
    hear(listener -> listener.step(moment(NOTHING)));
  }

  /// Computes this worker's share of the batch: of the loss, of the counts, and whether to stop.
  /// Adds the gradients to the worker's own.
  private double[] forwardAndBack(N net, int batch) {
    try (var _ = Scope.open()) {
      Objective share = session.forward(net, batch);
      share.back().run();
      return sums.of(share, first() && stop.look());
    }
  }

  /// Lets listeners save the position of the training. The workers take part because the task's
  /// state may be gathered from all of them. The barrier keeps the tensors that each worker
  /// contributes alive until they are written.
  private void save() {
    try (var _ = Scope.open()) {
      var carried = session.state();
      hear(listener -> listener.save(moment(carried)));
      all.barrier();
    }
  }

  /// Evaluates the epoch that has just ended. If the training is stopped during the evaluation, the
  /// evaluation is repeated when the training continues.
  private void evaluate() {
    Part judge = Part.VALIDATION;
    Figures validation;
    try {
      validation = session.evaluate(phases.fused(), judge);
      if (validation == null) {
        judge = Part.TEST;
        validation = session.evaluate(phases.fused(), judge);
      }
    } catch (StoppedException _) {
      stopped = true;
      return;
    }
    var epoch =
        new Metrics.Epoch(
            (int) (step / batches),
            step,
            learningRate(),
            sums.figures().values(),
            validation == null ? new LinkedHashMap<>() : validation.values(),
            clock.seconds(),
            clock.examplesPerSecond(),
            judge == Part.VALIDATION ? Metrics.Split.VALIDATION : Metrics.Split.TEST);
    boolean better = note(epoch);
    try (var _ = Scope.open()) {
      var carried = session.state();
      hear(listener -> listener.epoch(moment(carried), epoch, better));
      all.barrier(); // the tensors of the other workers must live until they are written
    }
    schedule = plan.schedule().after(ended);
    sums.clear();
    tested = judge == Part.TEST ? validation : null;
  }

  /// Counts `epoch` among those that are over, and returns whether it is the best; any epoch is
  /// better than none.
  private boolean note(Metrics.Epoch epoch) {
    boolean better = best == null || task.better(epoch.validation(), best.validation());
    best = better ? epoch : best;
    ended.add(new Schedule.EpochEnd(better, epoch.trainError()));
    judged.add(epoch);
    return better;
  }

  /// Makes the last evaluations, of all training data and of all test data.
  private void end() {
    boolean finished = (step == steps || stopsEarly()) && !stopped;
    average.exchange(); // the result is the averages, and nothing is trained any more
    Figures training = null;
    Figures test = null;
    try {
      if (finished) {
        test = tested != null ? tested : session.evaluate(phases.fused(), Part.TEST);
        training = session.evaluate(phases.fused(), Part.TRAINING);
      }
    } catch (StoppedException _) {
      finished = false;
    }
    var outcome =
        new Listener.Outcome(
            finished, step, steps, training, test, clock.seconds(), clock.examplesPerSecond());
    hear(listener -> listener.end(moment(NOTHING), outcome));
    if (first()) {
      this.training.ended(outcome);
    }
    all.barrier();
  }

  /// Reads the checkpoint. The first worker reads the shared weights and the optimizer; every
  /// worker reads its own buffers.
  private Position resume(Path file) {
    Position position = Position.read(file, sums.names());
    step = position.step();
    if (step > steps) {
      throw new BadFileException(
          file,
          "it stands at step %s, but the run has %s steps; it is of another run"
              .formatted(step, steps));
    }
    if (first()) {
      average.read(file);
      CheckpointFile.readOptimizer(file, net, flat, optimizer());
    }
    all.barrier();
    if (!first()) {
      average.read(file);
    }
    CheckpointFile.restore(file, session);
    if (!past.otherData()) {
      sums.restore(position.sums(), position.examples() < 0 ? seen() : position.examples());
    }
    return position;
  }

  /// The number of examples of the epoch so far; at its end, of the whole epoch.
  private long seen() {
    int batch = (int) (step % batches);
    long seen = 0;
    for (int i = 0; i < (batch == 0 ? batches : batch); i++) {
      seen += session.examples(i);
    }
    return seen;
  }

  private FlatParams share(long made) {
    List<Param> params = net.params();
    if (first()) {
      var whole = FlatParams.of(params);
      training.compare(params, batches, made);
      training.share(
          new Training.Shared(whole, plan.optimizer().over(whole, phases.made(made, batches))));
    }
    all.barrier();
    FlatParams whole = training.shared().flat();
    return first() ? whole : whole.shareWith(params);
  }

  private Optimizer optimizer() {
    return training.shared().optimizer();
  }

  /// Whether this worker is the first of its process, which owns the weights that the process
  /// shares, steps the optimizer, and has listeners.
  private boolean first() {
    return all.local().rank() == 0;
  }

  private double learningRate() {
    return schedule.at(step - 1, steps);
  }

  private void hear(Consumer<Listener> call) {
    if (first()) {
      training.listeners().forEach(call);
    }
  }

  /// Runs the batch again, watches every layer, and reports where numbers stopped being finite.
  private RuntimeException diverged(int batch) {
    var search = new FirstNonFinite();
    forwardAndBack(task.watched(phases.net(), search), batch);
    if (search.found() != null) {
      throw new DivergedException(step, search.found());
    }
    all.barrier(); // a worker that has found the place ends the group
    return new DivergedException(step, FirstNonFinite.gradient(net));
  }

  private Moment moment(Map<String, Tensor> carried) {
    return new Now(carried);
  }

  /// The view of this worker that listeners get.
  private final class Now implements Moment {
    private final Map<String, Tensor> carried;

    Now(Map<String, Tensor> carried) {
      this.carried = carried;
    }

    @Override
    public long step() {
      return step;
    }

    @Override
    public long steps() {
      return steps;
    }

    @Override
    public int examples() {
      return session.examples((int) ((step - 1) % batches));
    }

    @Override
    public int epoch() {
      return (int) ((Math.max(1, step) - 1) / batches) + 1;
    }

    @Override
    public int epochs() {
      return plan.epochs();
    }

    @Override
    public boolean endsEpoch(long step) {
      return step % batches == 0;
    }

    @Override
    public double learningRate() {
      return Loop.this.learningRate();
    }

    @Override
    public Figures soFar() {
      return sums.figures();
    }

    @Override
    public double seconds() {
      return clock.seconds();
    }

    @Override
    public double examplesPerSecond() {
      return clock.examplesPerSecond();
    }

    @Override
    public Node net() {
      return net;
    }

    @Override
    public FlatParams params() {
      return flat;
    }

    @Override
    public boolean probe(Watch watch, Runnable then) {
      return Probe.of(session, net, task.watched(net, watch), then);
    }

    @Override
    public SequencedMap<String, byte[]> preview() {
      return session.preview();
    }

    @Override
    public void write(Path file, Map<String, String> texts) {
      average.unaveraged(
          () -> CheckpointFile.write(file, with(texts), net, flat, optimizer(), carried, average));
    }

    @Override
    public Runnable later(Path file, Map<String, String> texts) {
      Map<String, String> all = with(texts);
      Map<String, double[]> buffers = CheckpointFile.buffers(net);
      return () -> {
        try (var _ = Scope.open()) {
          var more = new LinkedHashMap<>(session.state());
          more.putAll(CheckpointFile.tensors(net, buffers));
          CheckpointFile.write(file, all, net, flat, optimizer(), more, average);
        }
      };
    }

    @Override
    public boolean storesAlone() {
      return session.storesAlone();
    }

    @Override
    public void writeWeights(Path file, Map<String, String> texts) {
      CheckpointFile.writeWeights(file, with(texts), net, carried);
    }

    private Map<String, String> with(Map<String, String> texts) {
      var all = new LinkedHashMap<>(texts);
      all.putAll(
          new Position(
                  step, clock.seconds(), sums.stored(), sums.examples(), clock.examplesPerSecond())
              .texts());
      return all;
    }

    @Override
    public void writeTask(Path folder) {
      session.write(folder, step);
    }

    @Override
    public List<Section> sections() {
      return session.sections();
    }
  }
}
