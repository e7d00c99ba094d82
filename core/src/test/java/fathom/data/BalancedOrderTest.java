package fathom.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import fathom.RandomKey;
import fathom.Scope;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BalancedOrderTest {
  /// Ninety images of class 0, nine of class 1, none of class 2, and one of class 3.
  private static final int[] LABELS = new int[100];

  static {
    Arrays.fill(LABELS, 90, 99, 1);
    LABELS[99] = 3;
  }

  /// Over 10,000 draws each class has 3333, give or take five standard deviations of 47, and each
  /// of the nine images 370, give or take five of 19.
  @Test
  void eachClassAndEachOfItsImagesIsEquallyLikely() {
    var order = new BalancedOrder(4, LABELS);
    int[] times = new int[100];
    for (int epoch = 0; epoch < 100; epoch++) {
      assertEquals(100, order.of(epoch).length);
      Arrays.stream(order.of(epoch)).forEach(image -> times[image]++);
    }
    assertEquals(3333, Arrays.stream(times, 0, 90).sum(), 235);
    assertEquals(3333, Arrays.stream(times, 90, 99).sum(), 235);
    assertEquals(3333, times[99], 235);
    for (int image = 90; image < 99; image++) {
      assertEquals(370, times[image], 95, "image " + image);
    }
  }

  @Test
  void anEpochIsAFunctionOfItsNumberAndTheSeed() {
    int[] fifth = new BalancedOrder(4, LABELS).of(5);
    assertArrayEquals(fifth, new BalancedOrder(4, LABELS).of(5));
    assertFalse(Arrays.equals(fifth, new BalancedOrder(4, LABELS).of(6)));
    assertFalse(Arrays.equals(fifth, new BalancedOrder(5, LABELS).of(5)));
  }

  /// An image that is drawn three times in an epoch is varied in three ways, the same whichever
  /// worker loads it.
  @Test
  void anImageThatIsDrawnTwiceIsVariedTwice() {
    Images digits = DataSet.open("digits").train().take(3).images();
    var loader = new Loader(digits, Normalization.perChannel(digits));
    int[] order = {1, 1, 1};
    var how = new Augmentation(4, false);
    RandomKey key = RandomKey.of(1, "augment").at(3);
    try (var _ = Scope.open()) {
      var all = new Loader.Batch(order, new Rows(0, 3), how, key, true);
      List<double[]> three = rows(loader, all);
      assertFalse(Arrays.equals(three.get(0), three.get(1)));
      assertFalse(Arrays.equals(three.get(1), three.get(2)));
      var last = new Loader.Batch(order, new Rows(2, 3), how, key, true);
      assertArrayEquals(three.get(2), rows(loader, last).getFirst());
      List<double[]> byIndex = rows(loader, new Loader.Batch(order, new Rows(0, 3), how, key));
      assertArrayEquals(byIndex.get(0), byIndex.get(2));
    }
  }

  private static List<double[]> rows(Loader loader, Loader.Batch batch) {
    double[] all = loader.images(batch).toDoubles();
    int size = all.length / batch.rows().count();
    return IntStream.range(0, batch.rows().count())
        .mapToObj(i -> Arrays.copyOfRange(all, i * size, (i + 1) * size))
        .toList();
  }

  @Test
  void countsAreThoseOfTheImagesLeftToTrainWith() {
    DataSet digits = DataSet.open("digits");
    int[] expected = BalancedOrder.counts(digits.judgedBy(300, 7).train().labels(), 10);
    assertEquals(
        Arrays.stream(expected).boxed().toList(), digits.classCounts(300, 7), "without validation");
    assertEquals(1437, digits.classCounts(0, 7).stream().mapToInt(Integer::intValue).sum());
  }
}
