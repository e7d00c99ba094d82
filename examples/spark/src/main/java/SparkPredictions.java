// Predicts the images of a list with Spark: a task opens a net for its part of the list, and gives
// it a batch of images at a time.
import fathom.infer.Classification;
import fathom.infer.ImageClassifier;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;

public final class SparkPredictions {
  public static void main(String[] args) {
    String weights = args[0]; // a file that every machine has, as it has the images
    try (var spark = new JavaSparkContext(new SparkConf().setAppName("predictions"))) {
      spark
          .textFile(args[1], Integer.parseInt(args[2])) // the list, and in how many parts
          .mapPartitions(names -> predicted(weights, names))
          .saveAsTextFile(args[3]);
    }
  }

  private static Iterator<String> predicted(String weights, Iterator<String> names) {
    var answers = new ArrayList<String>();
    try (var classifier = ImageClassifier.open(Path.of(weights))) {
      while (names.hasNext()) {
        var batch = new ArrayList<Path>();
        while (names.hasNext() && batch.size() < ImageClassifier.BATCH) {
          batch.add(Path.of(names.next()));
        }
        List<Classification> shown = classifier.classify(batch);
        for (int i = 0; i < batch.size(); i++) {
          Classification.Candidate best = shown.get(i).best();
          answers.add(batch.get(i) + "\t" + best.name() + "\t" + best.probability());
        }
      }
    }
    return answers.iterator();
  }
}
