package fathom.lab.layernorm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import fathom.data.DataSet;
import fathom.lab.ledger.Size;
import org.junit.jupiter.api.Test;

class ConvolutionalNormsTest {
  @Test
  void theDigitsAreLearnedForTwelveEpochsAtEverySizeForEvidence() {
    DataSet digits = DataSet.open("digits");
    var cifar = new DataSet("cifar10", digits.classes(), digits.train(), digits.test());
    assertEquals(12, ConvolutionalNorms.epochs(Size.QUICK, digits));
    assertEquals(12, ConvolutionalNorms.epochs(Size.FULL, digits));
    assertEquals(5, ConvolutionalNorms.epochs(Size.FULL, cifar));
    assertEquals(1, ConvolutionalNorms.epochs(Size.TINY, digits));
  }
}
