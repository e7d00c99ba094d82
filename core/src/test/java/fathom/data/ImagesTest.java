package fathom.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;

class ImagesTest {
  private static Images images(int... labels) {
    byte[] pixels = new byte[labels.length * 6];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) i;
    }
    return new Images(1, 2, 3, pixels, labels);
  }

  @Test
  void takesTheFirst() {
    assertEquals(images(4, 5), images(4, 5, 6).take(2));
    assertEquals(0, images(4, 5).take(0).count());
    assertEquals("3×1×2×3", images(4, 5, 6).toString());
    assertThrows(IllegalArgumentException.class, () -> images(4).take(2));
    assertThrows(IllegalArgumentException.class, () -> images(4).take(-1));
  }

  @Test
  void areEqualByContent() {
    assertEquals(images(1, 2).hashCode(), images(1, 2).hashCode());
    assertNotEquals(images(1, 2), images(1, 3));
    Images other = images(1, 2);
    other.pixels()[11]++;
    assertNotEquals(images(1, 2), other);
  }

  @Test
  void mustAgree() {
    byte[] six = new byte[6];
    int[] one = {0};
    assertThrows(IllegalArgumentException.class, () -> new Images(1, 2, 2, six, one));
    assertThrows(IllegalArgumentException.class, () -> new Images(0, 2, 3, six, one));
    assertThrows(IllegalArgumentException.class, () -> new Images(1, 2, 3, six, new int[] {-1}));
    assertThrows(
        IllegalArgumentException.class,
        () -> new Images(1 << 16, 1 << 16, 1, new byte[0], new int[] {0}));
    assertThrows(
        IllegalArgumentException.class,
        () -> new Images(Integer.MAX_VALUE, Integer.MAX_VALUE, 9, six, one));
  }

  @Test
  void aDataSetHasOneSizeAndOneListOfClasses() {
    List<String> two = List.of("a", "b");
    new DataSet("x", two, images(0, 1), images(1));
    assertThrows(
        IllegalArgumentException.class, () -> new DataSet("x", two, images(0, 2), images(1)));
    assertThrows(
        IllegalArgumentException.class, () -> new DataSet("x", two, images(0, 1), images(2)));
    Images turned = new Images(1, 3, 2, new byte[6], new int[1]);
    assertThrows(IllegalArgumentException.class, () -> new DataSet("x", two, images(0, 1), turned));
  }
}
