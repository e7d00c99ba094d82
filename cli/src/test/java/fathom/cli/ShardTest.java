package fathom.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ShardTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7, 20})
  void everyPositionBelongsToExactlyOneShard(int count) {
    for (long position = 0; position < 50; position++) {
      long at = position;
      assertEquals(1, IntStream.range(0, count).filter(i -> new Shard(i, count).has(at)).count());
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "4/4|of 4 the last is 3/4",
        "0/0|the shard is 0/0",
        "1|written i/n",
        "-1/4|written i/n",
        "1/4/2|written i/n",
        "a/b|written i/n"
      })
  void whatIsNoShardIsRefused(String text, String why) {
    String said =
        String.valueOf(
            assertThrows(IllegalArgumentException.class, () -> Shard.of(text)).getMessage());
    assertTrue(said.contains(why), said);
  }

  @Test
  void itComesFromWhatLaunchersSet() {
    assertEquals(Shard.WHOLE, Shard.from(Map.<String, String>of()::get));
    assertEquals(Shard.WHOLE, Shard.from(Map.of("WORLD_SIZE", "4")::get));
    assertEquals(new Shard(3, 4), Shard.from(Map.of("RANK", "3", "WORLD_SIZE", "4")::get));
    assertEquals(
        new Shard(2, 5),
        Shard.from(Map.of("JOB_COMPLETION_INDEX", "2", "JOB_COMPLETIONS", "5")::get));
  }

  /// Without the count every machine would predict all, or another part than is meant.
  @Test
  void anIndexWithoutACountIsRefused() {
    String said =
        String.valueOf(
            assertThrows(
                    IllegalArgumentException.class,
                    () -> Shard.from(Map.of("JOB_COMPLETION_INDEX", "2")::get))
                .getMessage());
    assertTrue(said.contains("JOB_COMPLETIONS") && said.contains("--shard 2/n"), said);
    assertThrows(
        IllegalArgumentException.class,
        () -> Shard.from(Map.of("RANK", "4", "WORLD_SIZE", "4")::get));
  }
}
