package dev.graft.train;

import dev.graft.match.Binder;
import java.nio.file.Path;

/**
 * What the files of a training job are made of.
 *
 * @param model the base
 * @param adapter the adapter that training starts from
 * @param names how their names are joined
 * @param loss what the model should learn
 * @param optimizer the rule of the optimizer graph
 * @param weightDecay its pull towards zero, on every parameter
 * @param folder where the files go
 */
public record ArtifactsOptions(
    Path model,
    Path adapter,
    Binder.Options names,
    TrainingOptions.Loss loss,
    TrainingOptions.Rule optimizer,
    double weightDecay,
    Path folder) {}
