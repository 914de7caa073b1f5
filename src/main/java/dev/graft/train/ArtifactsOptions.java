package dev.graft.train;

import dev.graft.autodiff.Objective.Activations;
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
 * @param activations whether blocks are computed a second time to save memory
 * @param folder where the files go
 */
public record ArtifactsOptions(
    Path model,
    Path adapter,
    Binder.Options names,
    TrainingOptions.Loss loss,
    TrainingOptions.Rule optimizer,
    double weightDecay,
    Activations activations,
    Path folder) {}
