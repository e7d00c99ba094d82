package fathom.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.util.HexFormat;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Images as weights from elsewhere see them, compared with Pillow 12.3: `resize` of the whole
/// image and then `crop`, as torchvision's `Resize` and `CenterCrop` do.
class CentreCropTest {
  private static final int WIDTH = 29;
  private static final int HEIGHT = 23;

  /// Pillow rounds between its two passes, which is worth a grey level or two.
  private static final int LEVELS = 2;

  /// It clips there as well, so hard edges that bicubic filtering overshoots differ by more where
  /// an image becomes larger.
  private static final int CLIPPED = 12;

  private static BufferedImage image() {
    var image = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_BYTE_GRAY);
    for (int y = 0; y < HEIGHT; y++) {
      for (int x = 0; x < WIDTH; x++) {
        int grey =
            (x / 6 + y / 6) % 2 == 1 ? (x * x * 7 + y * 13 + x * y * 5) % 256 : x < 15 ? 40 : 250;
        image.getRaster().setSample(x, y, 0, grey);
      }
    }
    return image;
  }

  static Stream<Arguments> pillow() {
    return Stream.of(
        Arguments.of(
            Filter.BICUBIC,
            8,
            10,
            "578f7722d9a87ba25d5c745093cbb1c65d1e2e8193d2fff43e222d8d96c9fff4"
                + "3c707e47dabc8c95509c6021d4bf69b965578924bebf81c455212d6878c6ffe8"),
        Arguments.of(
            Filter.BICUBIC,
            8,
            8,
            "29809438d2aa84e231768336c79f8ce46f413a768be2eec66d28267a9de5ffb0"
                + "345e794bd3ab85ce287a842dd6938bef6e42424c95cae1ae8238256984eaffa0"),
        Arguments.of(
            Filter.BICUBIC,
            20,
            26,
            "3b95d242e05a6135261a85fffee44459739e86aa4f968279879a3926281a85ff"
                + "fee12c4673a67998649d28ac26d49335201788fffff59fbb85b95d6d6f9d4faa"
                + "53cd9e50362675d3ced2eeff5264a7ec75182620261e19989a68462f274bfffa"
                + "fffffffe8c1d282828281cc6daae998e8ca4fdfafafafaffa91a28282828263e"
                + "1592ffe7ecf9fafafafafafb1f2928282828246055535d575c80fefafafafaff"
                + "112a282828281ea7ab7f717283b2fdfafafafafc322621261a1e1d4cc2ebd3d8"
                + "bc64fffbffffffff2923523388624f1172a4c6ffe176e6fea7d39aa31332a54f"
                + "c4d4ad4419097dfffff979c05b6519592561d47125ccb643231a85ffffde1865"
                + "9d226ed13385eda5672e051f291a85fffdec89c32775e5a14d6b40e09b6f502f"
                + "271a85fffbfadc3583f38dc05a9a3e2cdda88e3c241a85ffffe4549c0e5cd5a0"
                + "6cd673333ae6e34e22198afffff18c1c44bb8bb04e60453018686b25131c5193"
                + "b9ebe4a4ccf6ceea48182327291d1c2d394b6ba0ae7cfffffffcffff6a202828"
                + "282823658cac95839453fffafafafaff"),
        Arguments.of(
            Filter.BILINEAR,
            8,
            10,
            "59867336c7a684a85b5e6e5798c7b6c75b28377a97d0faed422a37859bc9f6eb"
                + "3f6a7653cbbc959e518c6034c7b979ba625a7d38b4bb8dc3592a366283c5f4e1"),
        Arguments.of(
            Filter.BILINEAR,
            8,
            8,
            "2f7b8e48c5a58ee0396f7947baa49add6845427293d9e6c567313474a0def1b5"
                + "3a5c7156c5ac94cc33707942c49a99e46b47454f96c7dbb0783e30658ae3f7a4"),
        Arguments.of(
            Filter.BILINEAR,
            20,
            26,
            "428ab758cc686639282887fafadd505f7aa089a7518d807a86964b2e282887fa"
                + "fadb445776a07f9c608d429b36c3863e282887fafaeaa0b686aa71866b895398"
                + "4eba8f583f3676c9c7cde7fb6c7ca9df6c2828282828288c8f6a4f403c60fafa"
                + "fafafafa80282828282828b7cfaf9b9090a8fafafafafafa9628282828282841"
                + "2f8fe6dee3f0fafafafafafa2f2828282828285e5a5d67646c91fafafafafafa"
                + "222828282828288d9d887d7e8aacfafafafafafa3728282828282854adcfc8cd"
                + "b77dfafafafafafa2f2a513a8066522a6e99c0f7db8edbf5afc69fac1e3b9558"
                + "afc39d45282887fafae483be6b693c722d63c07437bba346282887fafad73271"
                + "8b3c74c13c83d8a468381421282887fafae78cb83879ceab4b674fd39b705031"
                + "282887fafaf6d53983e19ac25a8d493dcea78b41282887fafae06490216bc1a9"
                + "68b46e3945cfc651282887fafaea913251b09bb9555f46302169682e1e285c9e"
                + "bedddba4c4ead2e453282828282828343f526f98a98ffafafafafafa67282828"
                + "2828286383998b809071fafafafafafa"));
  }

  @ParameterizedTest
  @MethodSource("pillow")
  void imagesAreScaledAsInPillow(Filter filter, int side, int shorter, String hex) {
    byte[] expected = HexFormat.of().parseHex(hex);
    byte[] pixels =
        new Resizing(1, side, side, true, new CentreCrop(shorter, filter)).of(image()).pixels();
    assertEquals(expected.length, pixels.length);
    int different = 0;
    for (int i = 0; i < pixels.length; i++) {
      int most = filter == Filter.BICUBIC && shorter > HEIGHT ? CLIPPED : LEVELS;
      assertEquals(expected[i] & 0xff, pixels[i] & 0xff, most, "pixel " + i);
      different += expected[i] == pixels[i] ? 0 : 1;
    }
    assertTrue(different < pixels.length / 2, different + " of " + pixels.length);
  }

  /// timm takes the floor.
  @ParameterizedTest
  @CsvSource({"224, 0.875, 256", "288, 0.95, 303", "224, 0.9, 248", "224, 1, 224", "60, 0.875, 68"})
  void theShareIsASide(int side, double share, int shorter) {
    assertEquals(shorter, CentreCrop.of(side, share, Filter.BICUBIC).shorter());
  }

  @Test
  void whatCannotBeIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> new CentreCrop(0, Filter.BILINEAR));
    var crop = new CentreCrop(8, Filter.BILINEAR);
    assertThrows(IllegalArgumentException.class, () -> new Resizing(1, 9, 9, true, crop));
    assertThrows(IllegalArgumentException.class, () -> new Resizing(1, 8, 8, false, crop));
  }
}
