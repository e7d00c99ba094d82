package fathom.infer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import fathom.DType;
import fathom.DeviceException;
import fathom.Layer;
import fathom.Scope;
import fathom.Tensor;
import fathom.data.DataSet;
import fathom.data.Images;
import fathom.data.Loader;
import fathom.data.Normalization;
import fathom.data.Png;
import fathom.data.Resizing;
import fathom.data.Rows;
import fathom.io.BadFileException;
import fathom.io.SafeTensors;
import fathom.io.StoredTensor;
import fathom.net.Architecture;
import fathom.net.ImageShape;
import fathom.net.Norm;
import fathom.nn.Init;
import fathom.parallel.Workers;
import fathom.run.Recipe;
import fathom.run.Run;
import fathom.run.RunTraining;
import fathom.task.Evaluation;
import fathom.train.Precision;
import fathom.train.Weights;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// One small net that has learned the digits, asked in every way.
class ImageClassifierTest {
  private static final DataSet DIGITS = DataSet.open("digits");
  private static final Images TESTS = DIGITS.test().images();

  @TempDir private static Path folder;

  @BeforeAll
  static void train() throws IOException {
    trained("run", 5);
    for (int i = 0; i < 3; i++) {
      Files.write(image(i), Png.of(TESTS, i));
    }
  }

  private static Run trained(String name, long seed) {
    var options = new Architecture.Options(null, Norm.BATCH, 4, null, null);
    Recipe recipe =
        Recipe.usual(Architecture.images("resnet8", options), DIGITS, seed, 1).withEpochs(1);
    Run run = Run.create(folder.resolve(name), recipe, DIGITS);
    RunTraining.train(run, DIGITS);
    return run;
  }

  private static Run run() {
    return Run.open(folder.resolve("run"));
  }

  private static Path image(int i) {
    return folder.resolve(i + ".png");
  }

  /// By the plain net, of which nothing is folded or packed.
  private static double[][] expected(Run run, Path weights, Images images) {
    try (var _ = Scope.open()) {
      Layer net = run.imageNet(Init.zeros());
      Weights.read(weights, net);
      int[] order = IntStream.range(0, images.count()).toArray();
      Tensor x = new Loader(images, run.normalization()).images(order, new Rows(0, order.length));
      double[] all = net.predict(x).logSoftmax(1).exp().toDoubles();
      return IntStream.range(0, order.length)
          .mapToObj(i -> Arrays.copyOfRange(all, 10 * i, 10 * i + 10))
          .toArray(double[][]::new);
    }
  }

  private static void assertNear(double[][] expected, double[][] actual, double tolerance) {
    assertEquals(expected.length, actual.length);
    for (int i = 0; i < expected.length; i++) {
      assertArrayEquals(expected[i], actual[i], tolerance, "image " + i);
    }
  }

  @Test
  void aCandidateIsShownWithItsProbability() {
    assertEquals("cat (97.3 %)", new Classification.Candidate("cat", 3, 0.9731).toString());
  }

  @Test
  void itPredictsWhatThePlainNetDoes() {
    Run run = run();
    double[][] expected = expected(run, run.checkpoint(), TESTS);
    try (var classifier = run.classifier()) {
      assertNear(expected, classifier.probabilities(TESTS), 1e-4);
      List<Classification> all = classifier.classify(TESTS);
      for (int i = 0; i < all.size(); i++) {
        Classification each = all.get(i);
        double sum = 0;
        double before = 1;
        for (var candidate : each.ranked()) {
          assertEquals(expected[i][candidate.index()], candidate.probability(), 1e-4);
          assertEquals(DIGITS.classes().get(candidate.index()), candidate.name());
          assertTrue(candidate.probability() <= before, "the likeliest first: " + each);
          before = candidate.probability();
          sum += before;
        }
        assertEquals(1, sum, 1e-5);
        assertEquals(each.ranked().subList(0, 3), each.top(3));
        assertEquals(each.best().probability(), each.probabilities().get(each.best().name()));
      }
      assertEquals(10, all.getFirst().top(11).size());
      assertThrows(IllegalArgumentException.class, () -> all.getFirst().top(0));
    }
  }

  /// However many images a call has, and into whatever pieces they are divided.
  @ParameterizedTest
  @ValueSource(ints = {1, 7, 64, 100})
  void theNumberOfImagesInACallChangesNothing(int size) {
    try (var classifier = run().classifier()) {
      double[][] all = classifier.probabilities(TESTS.take(150));
      for (int from = 0; from < 150; from += size) {
        int to = Math.min(150, from + size);
        Images some = TESTS.select(IntStream.range(from, to).toArray());
        assertNear(Arrays.copyOfRange(all, from, to), classifier.probabilities(some), 1e-5);
      }
      assertEquals(0, classifier.probabilities(TESTS.take(0)).length);
      assertEquals(List.of(), classifier.classify(List.<Path>of()));
    }
  }

  @Test
  void manyThreadsGetWhatOneGets() throws Exception {
    long before = Tensor.live();
    try (var classifier = run().classifier();
        var threads = Executors.newFixedThreadPool(8)) {
      double[][] all = classifier.probabilities(TESTS.take(120));
      var calls = new ArrayList<Future<Void>>();
      for (int t = 0; t < 8; t++) {
        int own = t;
        Callable<Void> work =
            () -> {
              for (int size : new int[] {1, 4, 64, 7, 33}) {
                Images some = TESTS.select(IntStream.range(own, own + size).toArray());
                double[][] expected = Arrays.copyOfRange(all, own, own + size);
                assertNear(expected, classifier.probabilities(some), 1e-5);
              }
              return null;
            };
        calls.add(threads.submit(work));
      }
      for (Future<Void> call : calls) {
        call.get();
      }
    }
    assertEquals(before, Tensor.live());
  }

  /// A call that runs is answered, one that comes too late is told so, and nothing is left.
  @Test
  void itIsClosedWhileOthersCall() throws Exception {
    long before = Tensor.live();
    var classifier = run().classifier();
    double[][] expected = classifier.probabilities(TESTS.take(40));
    var closed = new AtomicBoolean();
    try (var threads = Executors.newFixedThreadPool(4)) {
      Callable<Integer> work =
          () -> {
            for (int answered = 0; ; answered++) {
              try {
                boolean late = closed.get();
                assertNear(expected, classifier.probabilities(TESTS.take(40)), 1e-5);
                assertFalse(late, "answered after it was closed");
              } catch (IllegalStateException e) {
                assertTrue(e.getMessage().contains("this one was closed"), e.getMessage());
                return answered;
              }
            }
          };
      var calls = new ArrayList<Future<Integer>>();
      for (int t = 0; t < 4; t++) {
        calls.add(threads.submit(work));
      }
      classifier.classify(image(0));
      classifier.close();
      closed.set(true);
      for (Future<Integer> call : calls) {
        assertTrue(call.get() >= 0);
      }
    }
    assertEquals(before, Tensor.live());
    classifier.close();
    assertThrows(IllegalStateException.class, () -> classifier.classify(image(0)));
    assertThrows(IllegalStateException.class, () -> classifier.classify(List.of(image(0))));
    try (var _ = Scope.open()) {
      Tensor x = Tensor.zeros(DType.FLOAT32, 1, 1, 8, 8);
      assertThrows(IllegalStateException.class, () -> classifier.net().predict(x));
      assertEquals(before + 1, Tensor.live());
    }
  }

  @Test
  void nothingIsLeftOfOneThatIsClosedOrCannotBeOpened() throws IOException {
    long before = Tensor.live();
    try (var classifier = ImageClassifier.open(folder.resolve("run"))) {
      classifier.classify(image(0));
      long open = Tensor.live();
      classifier.classify(image(1));
      classifier.probabilities(TESTS);
      classifier.probabilities(TESTS);
      long packed = Tensor.live();
      classifier.probabilities(TESTS);
      assertEquals(packed, Tensor.live(), "a call leaves something");
      assertTrue(open <= packed);
    }
    assertEquals(before, Tensor.live());
    var options = new Architecture.Options(null, Norm.BATCH, 16, null, null);
    var wider =
        ModelCard.ofImages(
            "resnet8", options, new ImageShape(1, 8, 8), false, null, run().normalization());
    assertThrows(BadFileException.class, () -> ImageClassifier.of(wider, run().checkpoint()));
    assertEquals(before, Tensor.live());
  }

  @Test
  void anImageIsTheSameFromAFileBytesOrPixels() throws IOException {
    try (var classifier = run().classifier()) {
      BufferedImage large = enlarged(ImageIO.read(image(0).toFile()), 9);
      Path file = folder.resolve("large.png");
      ImageIO.write(large, "png", file.toFile());
      Classification ofFile = classifier.classify(file);
      assertEquals(ofFile, classifier.classify(Files.readAllBytes(file)));
      assertEquals(ofFile, classifier.classify(large));
      assertEquals(List.of(ofFile), classifier.classify(List.of(file)));
      var coloured = new BufferedImage(72, 72, BufferedImage.TYPE_INT_ARGB);
      for (int i = 0; i < 72 * 72; i++) {
        int grey = large.getRaster().getSample(i % 72, i / 72, 0);
        coloured.setRGB(i % 72, i / 72, 0xff << 24 | grey * 0x010101);
      }
      assertEquals(ofFile, classifier.classify(coloured));
      List<Classification> three =
          classifier.classify(List.of(image(0), image(1), image(2), image(1)));
      assertEquals(4, three.size());
      assertEquals(three.get(1), three.get(3));
      assertNotEquals(three.get(0), three.get(1));
      assertNear(
          classifier.probabilities(TESTS.take(3)),
          three.subList(0, 3).stream()
              .map(each ->
                  DIGITS.classes().stream().mapToDouble(each.probabilities()::get).toArray())
              .toArray(double[][]::new),
          1e-5);
    }
  }

  private static BufferedImage enlarged(BufferedImage image, int factor) {
    var large =
        new BufferedImage(
            image.getWidth() * factor, image.getHeight() * factor, BufferedImage.TYPE_BYTE_GRAY);
    for (int y = 0; y < large.getHeight(); y++) {
      for (int x = 0; x < large.getWidth(); x++) {
        large
            .getRaster()
            .setSample(x, y, 0, image.getRaster().getSample(x / factor, y / factor, 0));
      }
    }
    return large;
  }

  @Test
  void aDamagedImageIsRefusedAndTheNextIsAnswered() throws IOException {
    byte[] whole = Files.readAllBytes(image(0));
    Path damaged = folder.resolve("damaged.png");
    Files.write(damaged, Arrays.copyOf(whole, whole.length / 2));
    Path text = Files.writeString(folder.resolve("text.png"), "no image");
    try (var classifier = run().classifier()) {
      long open = Tensor.live();
      Classification right = classifier.classify(image(0));
      for (Path each : List.of(damaged, text, folder.resolve("gone.png"))) {
        var e = assertThrows(BadFileException.class, () -> classifier.classify(each));
        assertTrue(e.getMessage().contains(each.toString()), e.getMessage());
        var of =
            assertThrows(
                BadFileException.class, () -> classifier.classify(List.of(image(0), each)));
        assertEquals(e.getMessage(), of.getMessage());
      }
      var e =
          assertThrows(
              BadFileException.class, () -> classifier.classify(Files.readAllBytes(damaged)));
      assertTrue(e.getMessage().contains("image in memory"), e.getMessage());
      assertThrows(BadFileException.class, () -> classifier.classify(new byte[0]));
      assertEquals(right, classifier.classify(image(0)));
      assertTrue(Tensor.live() >= open);
    }
  }

  @Test
  void imagesOfAnotherSizeAreRefused() {
    try (var classifier = run().classifier()) {
      var e =
          assertThrows(
              IllegalArgumentException.class,
              () -> classifier.probabilities(new Images(1, 9, 8, new byte[72], new int[1])));
      assertTrue(
          e.getMessage().contains("1×8×8") && e.getMessage().contains("1×9×8"), e.getMessage());
    }
  }

  /// In the place of the best weights are those of another training, so that they are told apart.
  @Test
  void theBestEpochIsAskedForByName() throws IOException {
    Run run = trained("best", 6);
    Path other = folder.resolve("run").resolve("checkpoint.safetensors");
    Files.copy(other, run.best(), StandardCopyOption.REPLACE_EXISTING);
    double[][] expected = expected(run, other, TESTS);
    try (var best = run.bestClassifier();
        var opened = ImageClassifier.openBest(run.folder());
        var last = ImageClassifier.open(run.folder())) {
      assertNear(expected, best.probabilities(TESTS), 1e-4);
      assertNear(expected, opened.probabilities(TESTS), 1e-4);
      assertFalse(Arrays.deepEquals(expected, last.probabilities(TESTS)));
      assertNear(expected(run, run.checkpoint(), TESTS), last.probabilities(TESTS), 1e-4);
    }
    Files.delete(run.best());
    for (var open :
        List.<Executable>of(run::bestClassifier, () -> ImageClassifier.openBest(run.folder()))) {
      var e = assertThrows(BadFileException.class, open);
      assertTrue(e.getMessage().contains("no weights of a best epoch"), e.getMessage());
    }
    Files.delete(run.checkpoint());
    for (var open :
        List.<Executable>of(run::classifier, () -> ImageClassifier.open(run.folder()))) {
      var e = assertThrows(BadFileException.class, open);
      assertTrue(e.getMessage().contains("no checkpoint yet"), e.getMessage());
    }
    assertThrows(BadFileException.class, () -> ImageClassifier.open(folder.resolve("none")));
    assertThrows(BadFileException.class, () -> ImageClassifier.openBest(folder.resolve("none")));
  }

  @Test
  void anExportedFileNeedsNothingElse() {
    Run run = run();
    Path file = folder.resolve("exported.safetensors");
    try (var _ = Scope.open()) {
      Layer net = run.imageNet(Init.zeros());
      Weights.read(run.checkpoint(), net);
      Weights.write(file, net, run.card(run.normalization()).metadata());
    }
    try (var ofRun = run.classifier();
        var ofFile = ImageClassifier.open(file)) {
      assertNear(ofRun.probabilities(TESTS), ofFile.probabilities(TESTS), 0);
      assertEquals(ofRun.card(), ofFile.card());
      assertEquals(new Resizing(1, 8, 8, false), ofFile.resizing());
    }
  }

  /// As of a version whose checkpoints said nothing of their net: the run does.
  @Test
  void anOlderRunIsOpenedByWhatItsDescriptionSays() throws IOException {
    Path old = Files.createDirectories(folder.resolve("old"));
    Run run = run();
    Files.writeString(
        old.resolve("run.json"),
        Files.readString(run.folder().resolve("run.json"))
            .replace("\"format\" : 9", "\"format\" : 6"));
    Path checkpoint = old.resolve("checkpoint.safetensors");
    try (var stored = SafeTensors.open(run.checkpoint());
        Arena arena = Arena.ofConfined()) {
      var tensors = new LinkedHashMap<String, StoredTensor>();
      stored.names().forEach(name -> tensors.put(name, stored.widened(name, arena)));
      SafeTensors.write(checkpoint, tensors, Map.of());
    }
    var e = assertThrows(BadFileException.class, () -> ImageClassifier.open(old));
    assertTrue(e.getMessage().contains("Run.open"), e.getMessage());
    try (var now = run.classifier();
        var then = Run.open(old).classifier()) {
      assertNear(now.probabilities(TESTS), then.probabilities(TESTS), 0);
    }
  }

  /// A card that a user makes for weights from elsewhere.
  @Test
  void aCardSaysWhatTheFileDoesNot() {
    var options = new Architecture.Options(null, Norm.BATCH, 4, null, null);
    var size = new ImageShape(1, 8, 8);
    Normalization own = run().normalization();
    Path weights = run().checkpoint();
    var card = ModelCard.ofImages("ResNet8", options, size, null, null, own);
    try (var classifier = ImageClassifier.of(card, weights);
        var run = run().classifier()) {
      assertEquals("resnet8", classifier.card().model());
      assertEquals(
          IntStream.range(0, 10).mapToObj(Integer::toString).toList(), classifier.classes());
      assertNear(run.probabilities(TESTS), classifier.probabilities(TESTS), 0);
    }
    var without = new ModelCard("resnet8", options, size, null, null, null, null);
    var e =
        assertThrows(IllegalArgumentException.class, () -> ImageClassifier.of(without, weights));
    assertTrue(e.getMessage().contains("normalised"), e.getMessage());
    var channels = Normalization.of(new float[] {0, 0, 0}, new float[] {1, 1, 1});
    var wrong = ModelCard.ofImages("resnet8", options, size, null, null, channels);
    assertThrows(IllegalArgumentException.class, () -> ImageClassifier.of(wrong, weights));
    var text = new ModelCard("lstm", Architecture.Options.NONE, null, null, null, own, null);
    e = assertThrows(IllegalArgumentException.class, () -> ImageClassifier.of(text, weights));
    assertTrue(e.getMessage().contains("was trained on text"), e.getMessage());
    var two = ModelCard.ofImages("resnet8", options, new ImageShape(2, 8, 8), null, null, own);
    assertThrows(IllegalArgumentException.class, () -> ImageClassifier.of(two, weights));
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void workersThatShareTheNetMeasureWhatThePlainNetDoes(Precision precision) {
    try {
      precision.check();
    } catch (DeviceException e) {
      abort(e.getMessage());
    }
    Run run = run();
    var measured = new Evaluation[3];
    try (var classifier = run.classifier(run.checkpoint(), precision)) {
      for (int workers = 1; workers <= 2; workers++) {
        int at = workers;
        Workers.run(
            workers,
            all -> {
              Evaluation own =
                  Evaluation.of(classifier.net(), TESTS, classifier.normalization(), all);
              measured[at] = own;
            });
      }
    }
    Workers.run(
        1,
        all -> {
          try (var _ = Scope.open()) {
            Layer net = run.imageNet(Init.zeros());
            Weights.read(run.checkpoint(), net);
            measured[0] = Evaluation.of(net, TESTS, run.normalization(), all);
          }
        });
    double tolerance = precision == Precision.FP32 ? 1e-5 : 0.05;
    assertEquals(measured[0].crossEntropy(), measured[1].crossEntropy(), tolerance);
    assertEquals(measured[0].crossEntropy(), measured[2].crossEntropy(), tolerance);
  }
}
