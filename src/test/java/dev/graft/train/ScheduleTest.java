package dev.graft.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.graft.error.UsageException;
import dev.graft.train.TrainingOptions.Batches;
import dev.graft.train.TrainingOptions.Length;
import dev.graft.train.TrainingOptions.Order;
import dev.graft.train.TrainingOptions.Rule;
import dev.graft.train.TrainingOptions.Update;
import dev.graft.train.TrainingOptions.Warmup;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

final class ScheduleTest {

  @Test
  void refusesAShapeThatItDoesNotKnow() {
    assertThatThrownBy(() -> Schedule.Kind.parse("cosine"))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("linear");
  }

  @Test
  void risesAndFallsAsTransformersDoes() {
    Schedule schedule = new Schedule(Schedule.Kind.LINEAR, 0.02, 2, 6);
    double[] expected = {0, 0.01, 0.02, 0.015, 0.01, 0.005, 0};
    for (int step = 0; step < expected.length; step++) {
      assertThat(schedule.rate(step)).isCloseTo(expected[step], within(1e-15));
    }
  }

  @Test
  void staysAtThePeak() {
    assertThat(new Schedule(Schedule.Kind.CONSTANT, 0.5, 9, 10).rate(0)).isEqualTo(0.5);
    Schedule warmed = new Schedule(Schedule.Kind.parse("constant-with-warmup"), 0.5, 2, 10);
    assertThat(warmed.rate(1)).isEqualTo(0.25);
    assertThat(warmed.rate(9)).isEqualTo(0.5);
  }

  @Test
  void countsStepsByPassesUnlessTheyAreGiven() {
    Update update =
        new Update(
            new Rule.Sgd(0),
            1,
            Schedule.Kind.LINEAR,
            new Warmup(0, 0.1),
            0,
            TrainingOptions.DecayOn.ALL,
            0,
            OptionalDouble.empty());
    Length passes = new Length(OptionalLong.empty(), 2);
    Plan plan = Plan.of(101, new Batches(4, 3, Order.FILE, 1, passes), update);
    assertThat(plan.steps()).isEqualTo(18);
    assertThat(plan.schedule().warmup()).isEqualTo(2);
    Length given = new Length(OptionalLong.of(5), 2);
    assertThat(Plan.of(101, new Batches(4, 3, Order.FILE, 1, given), update).steps()).isEqualTo(5);
    assertThat(plan.epoch(202)).isEqualTo(2);
  }
}
