package fathom.lab.draw;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.Param;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.data.DataSet;
import fathom.data.Images;
import fathom.lab.draw.DrawNet.Sizes;
import fathom.lab.ledger.Notebook;
import fathom.nn.Init;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The parts of DRAW against values worked by hand, its gradient against central differences, and
/// its bound against p(x) itself, which for two latents is an integral over a plane.
class DrawTest {
  private static final double EXACT = 1e-12;

  private Scope scope;

  @BeforeEach
  void open() {
    scope = Scope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  private static Tensor row(double... elements) {
    return Tensor.of(elements, 1, elements.length);
  }

  // ---- The cell

  private static Lstm cell(boolean normed) {
    double third = Math.log(3); // σ(log 3) = 3/4
    return new Lstm(
        Param.of(Tensor.zeros(DType.FLOAT64, 8, 3)),
        Param.of(Tensor.of(new double[] {third, third, 0, 0, third, -third, 0.5, 0}, 8)),
        Param.of(Tensor.zeros(DType.FLOAT64, 1, 2)),
        normed ? Param.of(Tensor.of(new double[] {2, 3}, 2)) : null,
        normed ? Param.of(Tensor.of(new double[] {0.5, -1}, 2)) : null);
  }

  /// c = c/2 + (3/4)·tanh(g), so (2 − 1.5·tanh ½, 6) becomes (1, 3), whose mean is 2 and whose
  /// variance is 1.
  @Test
  void onlyTheCellIsNormalisedAndOnlyWhereItIsRead() {
    var before = new Lstm.State(row(7, -7), row(2 - 1.5 * Math.tanh(0.5), 6));
    Lstm.State plain = cell(false).next(row(5), before);
    assertArrayEquals(new double[] {1, 3}, plain.c().toDoubles(), EXACT);
    assertArrayEquals(
        new double[] {0.75 * Math.tanh(1), 0.25 * Math.tanh(3)}, plain.h().toDoubles(), EXACT);
    Lstm.State normed = cell(true).next(row(5), before);
    double one = 1 / Math.sqrt(1 + 1e-5);
    assertArrayEquals(new double[] {1, 3}, normed.c().toDoubles(), EXACT);
    assertArrayEquals(
        new double[] {0.75 * Math.tanh(-2 * one + 0.5), 0.25 * Math.tanh(3 * one - 1)},
        normed.h().toDoubles(),
        EXACT);
  }

  @Test
  void bothKindsBeginWithTheSameWeights() {
    var sizes = new Sizes(3, 4, 5, 2, 2, 2, 3);
    DrawNet plain = DrawNet.of(sizes, false, Init.he(1));
    DrawNet normed = DrawNet.of(sizes, true, Init.he(1));
    plain
        .state()
        .forEach((path, param) ->
            assertArrayEquals(
                param.value().toDoubles(), normed.state().get(path).value().toDoubles(), path));
    assertEquals(plain.state().size() + 4, normed.state().size());
  }

  // ---- Attention

  private static Tensor numbers(double x, double y, double variance, double spacing, double gamma) {
    return row(x, y, Math.log(variance), Math.log(spacing), Math.log(gamma));
  }

  /// Two filters on 3 columns: the centre is at 2, δ = (3 − 1)/(2 − 1)·½ = 1, so they stand at 1.5
  /// and 2.5; with 2σ² = 1/(4·log 2) a pixel at distance d weighs 2^(−4d²): ½, ½ and 2^−9.
  @Test
  void filtersAreThoseWorkedByHand() {
    Filters f = Filters.of(numbers(0, 0, 1 / (8 * Math.log(2)), 0.5, 3), 2, 3, 3);
    double[] expected = {256, 256, 1, 1, 256, 256};
    double[] weights = f.x().toDoubles();
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i] / 513, weights[i], EXACT);
    }
    assertArrayEquals(weights, f.y().toDoubles(), EXACT);
    assertEquals(3, f.intensity().item(), EXACT);
  }

  /// The spacing is that of the longer side, the centre that of its own: with g̃ = (−½, ½) on 4
  /// columns and 3 rows the centres are 2.5·½ = 1.25 and 2·1.5 = 3, and δ = 3/1·⅓ = 1.
  @Test
  void sidesMayDiffer() {
    Filters f = Filters.of(numbers(-0.5, 0.5, 0.5, 1.0 / 3, 1), 2, 3, 4);
    assertArrayEquals(softmax(4, 0.75, 1.75), f.x().toDoubles(), EXACT);
    assertArrayEquals(softmax(3, 2.5, 3.5), f.y().toDoubles(), EXACT);
  }

  /// exp(−(a − μ)²) over a = 1.., divided by its sum, for each μ.
  private static double[] softmax(int pixels, double... means) {
    double[] all = new double[means.length * pixels];
    for (int i = 0; i < means.length; i++) {
      double sum = 0;
      for (int a = 1; a <= pixels; a++) {
        sum += Math.exp(-Math.pow(a - means[i], 2));
      }
      for (int a = 1; a <= pixels; a++) {
        all[i * pixels + a - 1] = Math.exp(-Math.pow(a - means[i], 2)) / sum;
      }
    }
    return all;
  }

  /// Also those of a grid so far away that every exponential is 0.
  @Test
  void everyFilterSumsToOne() {
    for (double away : new double[] {0, 1, -40, 1e4}) {
      Filters f = Filters.of(numbers(away, -away, 0.3, 0.7, 2), 3, 5, 4);
      for (Tensor each : List.of(f.x(), f.y())) {
        for (double sum : each.sum(2).toDoubles()) {
          assertEquals(1, sum, EXACT);
        }
      }
    }
  }

  /// Narrow filters one pixel apart, as many as there are pixels, are the identity.
  @Test
  void aGridOnThePixelsReadsAndWritesThem() {
    Filters f = Filters.of(numbers(0, 0, 1e-3, 1, 4), 3, 3, 3);
    double[] image = IntStream.range(0, 9).mapToDouble(i -> i * i).toArray();
    Tensor x = Tensor.of(image, 1, 3, 3);
    assertArrayEquals(image, f.read(x).times(0.25).toDoubles(), EXACT);
    assertArrayEquals(image, f.write(x).times(4).toDoubles(), EXACT);
  }

  /// A row of a filter bank for x, a column of one for y: nothing is transposed.
  @Test
  void columnsAreReadByXAndRowsByY() {
    Filters f = Filters.of(numbers(-1, 1, 1e-3, 1e-3, 1), 2, 5, 3);
    Tensor lowerLeft = Tensor.zeros(DType.FLOAT64, 1, 5, 3);
    double[] pixels = new double[15];
    pixels[4 * 3] = 1; // the last row's first column; centres are at x = 0 and y = 6
    lowerLeft.copy_(pixels);
    assertArrayEquals(new double[] {1, 1, 1, 1}, f.read(lowerLeft).toDoubles(), EXACT);
    double[] written = f.write(Tensor.of(new double[] {1, 2, 3, 4}, 1, 2, 2)).toDoubles();
    pixels[4 * 3] = 10;
    assertArrayEquals(pixels, written, EXACT);
  }

  @Test
  void aGridOfOneFilterIsRefused() {
    var e =
        assertThrows(IllegalArgumentException.class, () -> Attention.of(Init.he(1), 4, 8, 8, 1, 5));
    assertTrue(e.getMessage().contains("1×1"), e.getMessage());
  }

  // ---- The bound

  /// KL(N(1, 1) ‖ N(0, 1)) = ½ and KL(N(0, 4) ‖ N(0, 1)) = (4 − log 4 − 1)/2.
  @Test
  void theDivergenceIsThatWorkedByHand() {
    Tensor each =
        DrawNet.divergence(
            Tensor.of(new double[] {1, 0, 0, 0, 1, 0}, 3, 2),
            Tensor.of(new double[] {0, 0, 0, Math.log(2), 0, Math.log(2)}, 3, 2));
    double wide = (3 - Math.log(4)) / 2;
    assertArrayEquals(new double[] {0.5, wide, 0.5 + wide}, each.toDoubles(), EXACT);
  }

  /// A pixel that is 1 with probability ¾ costs −log ¾ or −log ¼; one that is as good as certain
  /// costs nothing or its log-odds.
  @Test
  void theSurpriseIsThatOfBernoulli() {
    double odds = Math.log(3);
    Tensor x = Tensor.of(new double[] {1, 0, 1, 1, 0, 0}, 3, 2);
    Tensor c = Tensor.of(new double[] {odds, odds, 800, -800, 0, -900}, 3, 2);
    assertArrayEquals(
        new double[] {-Math.log(0.75) - Math.log(0.25), 800, Math.log(2)},
        DrawNet.surprise(x, c).toDoubles(),
        EXACT);
  }

  /// A net in float64 whose parameters are all away from where they begin.
  private static DrawNet net(Sizes sizes, boolean normed) {
    DrawNet net = DrawNet.of(sizes, normed, Init.he(3));
    net.state()
        .forEach((path, param) -> {
          param.convert(DType.FLOAT64);
          param.value().add_(normal(path, param.value().shape().toArray()).times(0.3));
        });
    return net;
  }

  private static Tensor normal(String what, long... shape) {
    return Tensor.normal(RandomKey.of(5, what), DType.FLOAT64, shape);
  }

  @ParameterizedTest
  @CsvSource({"false, 0", "true, 0", "false, 2", "true, 2"})
  void theWayBackAgreesWithCentralDifferences(boolean normed, int grid) {
    DrawNet net = net(new Sizes(3, 4, 3, 2, 3, grid, grid), normed);
    Tensor x = Tensor.of(new double[] {1, 0, 1, 1, 0, 0, 1, 0, 0, 1, 1, 1}, 1, 12);
    x = Tensor.concatenated(0, List.of(x, x.times(-1).plus(1)));
    Tensor noise = net.noise(RandomKey.of(5, "noise"), 2);
    Traced loss = net.loss(x, noise);
    loss.accumulate(row(1).reshape(1));
    double h = 1e-5;
    for (var each : net.state().entrySet()) {
      Tensor value = each.getValue().value();
      Tensor way = normal("way " + each.getKey(), value.shape().toArray());
      double slope = 0;
      double[] before = value.toDoubles();
      for (int sign : new int[] {1, -1}) {
        value.add_(way.times(sign * h));
        slope += sign * net.terms(x, noise).bound().mean(0).item() / (2 * h);
        value.copy_(before);
      }
      double found = each.getValue().grad().times(way).sum().item();
      assertEquals(slope, found, 1e-7 * Math.max(1, Math.abs(slope)), each.getKey());
      assertTrue(Math.abs(found) > 1e-6, each.getKey() + " matters");
    }
  }

  /// One glimpse, equation by equation: the encoder sees the decoder's state beside what is read.
  /// Its bound would be one for any other encoder too.
  @Test
  void aGlimpseIsTheEquationsInTheirOrder() {
    DrawNet net = net(new Sizes(3, 4, 3, 2, 1, 2, 2), true);
    Tensor x = row(1, 0, 1, 1, 0, 0, 1, 0, 0, 1, 1, 1);
    Tensor noise = net.noise(RandomKey.of(5, "glimpse"), 1);
    Lstm.State seen = net.encoder().begin(1);
    Lstm.State drawn = net.decoder().begin(1);
    Tensor canvas = net.canvas().value();
    Tensor read = net.window().read(x, x.minus(canvas.sigmoid()), drawn.h());
    Tensor input = Tensor.concatenated(1, List.of(read, drawn.h()));
    double[] both = net.latent().predict(net.encoder().next(input, seen).h()).toDoubles();
    double[] e = noise.toDoubles();
    Tensor z = row(both[0] + Math.exp(both[2]) * e[0], both[1] + Math.exp(both[3]) * e[1]);
    Tensor after = canvas.plus(net.window().write(net.decoder().next(z, drawn).h()));
    assertEquals(
        DrawNet.surprise(x, after).item(), net.terms(x, noise).reconstruction().item(), EXACT);
  }

  /// Over all 16 images of 2×2: p(x) by the generator and the prior alone, as an integral over the
  /// two latents, adds up to 1. The encoder's weights average to the same p(x), the divergence is
  /// the mean of the drawn ratios, and the bound lies above −log p(x).
  @ParameterizedTest
  @CsvSource({"false, 0", "true, 2"})
  void theBoundIsOneOfTheProbabilityOfAnImage(boolean normed, int grid) {
    DrawNet net = net(new Sizes(2, 2, 3, 1, 2, grid, grid), normed);
    // Cells whose units differ, near which a norm is smooth, so that a sum over a grid is exact.
    for (Lstm each : List.of(net.encoder(), net.decoder())) {
      each.bias().value().narrow(0, 9, 12).add_(new double[] {2, 0, -2});
    }
    // σ near 1, so that nine standard deviations around μ cover the prior as well
    for (Param param : net.latent().params()) {
      param.value().copy_(param.value().times(0.2));
    }
    int side = 121;
    double step = 0.15;
    double[] points = new double[2 * side * side];
    double[] logDensity = new double[side * side];
    for (int i = 0; i < logDensity.length; i++) {
      double u = (i / side - side / 2) * step;
      double v = (i % side - side / 2) * step;
      points[i] = u;
      points[logDensity.length + i] = v;
      logDensity[i] = -(u * u + v * v) / 2 - Math.log(2 * Math.PI / (step * step));
    }
    Tensor noise = Tensor.of(points, 2, logDensity.length, 1);
    Tensor logWeight = Tensor.of(logDensity, logDensity.length);
    Tensor weight = logWeight.exp();
    Tensor canvas = net.generate(noise);
    double total = 0;
    for (int image = 0; image < 16; image++) {
      double[] pixels = new double[4 * logDensity.length];
      for (int i = 0; i < pixels.length; i++) {
        pixels[i] = image >> i % 4 & 1;
      }
      Tensor x = Tensor.of(pixels, logDensity.length, 4);
      double p = DrawNet.surprise(x, canvas).times(-1).exp().times(weight).sum().item();
      total += p;
      var terms = net.terms(x, noise);
      assertEquals(p, terms.logWeight().plus(logWeight).exp().sum().item(), 1e-7, "image " + image);
      double divergence = terms.divergence().times(weight).sum().item();
      assertEquals(divergence, terms.ratio().times(weight).sum().item(), 1e-9, "image " + image);
      double bound = terms.bound().times(weight).sum().item();
      assertTrue(bound > -Math.log(p) + 1e-5, "image %s: %s, %s".formatted(image, bound, p));
    }
    assertEquals(1, total, 1e-9);
  }

  /// Nine images of one pixel: eight in the first row, the last in the second, lines around all.
  @Test
  void aSheetHasItsImagesInRowsOfEight() throws IOException {
    byte[] png = Sheet.of(new double[] {0, 1, 0, 0, 0, 0, 0, 0.2, 1}, 1, 1);
    var sheet = ImageIO.read(new ByteArrayInputStream(png)).getRaster();
    assertEquals(17, sheet.getWidth());
    assertEquals(5, sheet.getHeight());
    assertEquals(255, sheet.getSample(3, 1, 0));
    assertEquals(51, sheet.getSample(15, 1, 0));
    assertEquals(255, sheet.getSample(1, 3, 0));
    assertEquals(128, sheet.getSample(3, 3, 0), "no tenth image");
    assertEquals(128, sheet.getSample(2, 1, 0), "a line");
  }

  // ---- Data and training

  @Test
  void blackAndWhiteStaysAndGreyIsDrawnOnceForAll() {
    byte[] pixels = new byte[2 * 2000];
    for (int i = 0; i < 2000; i++) {
      pixels[2 * i] = (byte) (i % 2 == 0 ? 255 : 0);
      pixels[2 * i + 1] = 64;
    }
    var images = new Images(1, 1, 2, pixels, new int[2000]);
    var data = new DataSet("grey", List.of("0"), images, images.take(10));
    var binary = BinaryImages.of(data, 5000, 4);
    double grey = 0;
    for (int i = 0; i < 2000; i++) {
      assertEquals(i % 2 == 0 ? 1 : 0, binary.train()[2 * i]);
      grey += binary.train()[2 * i + 1] / 2000;
    }
    assertEquals(64 / 255.0, grey, 0.04);
    assertEquals(4, binary.count(binary.test()));
    assertArrayEquals(binary.train(), BinaryImages.of(data, 5000, 4).train());
    assertArrayEquals(
        new double[] {0, binary.train()[7]},
        binary.batch(binary.train(), new int[] {3}).toDoubles());
  }

  /// Of one bright pixel in the corner, the six pixels across get 1, 1, ⅔, ⅓, 0 and 0 of it, and as
  /// much down: 4/9 is less than half, and ⅔ is more.
  @Test
  void anEnlargedImageIsInterpolatedAndBlackAndWhite() {
    var images = new Images(1, 2, 2, new byte[] {0, 0, 0, 0, (byte) 255, 0, 0, 0}, new int[2]);
    var data = new DataSet("corner", List.of("0"), images, images.take(1));
    var binary = BinaryImages.enlarged(data, 3, 2, 1);
    float[] corner = new float[36];
    for (int at : new int[] {0, 1, 2, 6, 7, 8, 12, 13}) {
      corner[at] = 1;
    }
    assertArrayEquals(new float[36], Arrays.copyOf(binary.train(), 36));
    assertArrayEquals(corner, Arrays.copyOfRange(binary.train(), 36, 72));
    assertArrayEquals(new float[36], binary.test());
    assertEquals(36, binary.pixels());
  }

  /// One pixel that is 1 in half of the images and one that is 1 in a quarter.
  @Test
  void theBestConstantModelCostsTheEntropyOfThePixels() {
    var data = new BinaryImages(1, 2, new float[0], new float[] {1, 0, 0, 0, 1, 1, 0, 0});
    double quarter = -0.25 * Math.log(0.25) - 0.75 * Math.log(0.75);
    assertEquals(Math.log(2) + quarter, data.constant(), EXACT);
  }

  @Test
  void theMeanOfExponentialsDoesNotOverflow() {
    assertEquals(
        1000 + Math.log(0.75),
        DrawTraining.logMeanExp(new double[] {1000, 1000 - Math.log(2)}),
        1e-9);
  }

  @Test
  void theFirstEpochAtALimitIsCountedFromOne() {
    var course = new DrawTraining.Course(new double[4], new double[] {5, 3, 4, 3});
    assertEquals(3, course.last());
    assertEquals(2, course.firstAtMost(3.5));
    assertEquals(5, course.firstAtMost(2), "none");
  }

  @Test
  void aTrainedNetIsBetterThanAnyConstantModel() {
    var data = BinaryImages.of(DataSet.open("digits"), 1437, 120);
    DrawNet net = DrawNet.of(new Sizes(8, 8, 32, 4, 3, 0, 0), true, Init.he(1));
    var training = new DrawTraining(data, 0.01, 8, 32);
    var note = new Notebook(1, () -> false);
    DrawTraining.Course course = training.run(net, 1, note);
    double one = training.surprise(net, 1, 1, note);
    double many = training.surprise(net, 40, 1, note);
    assertTrue(course.last() < data.constant(), course.last() + " " + data.constant());
    assertTrue(many < one, "importance sampling comes nearer: %s, %s".formatted(one, many));
  }
}
