package dev.graft.fold;

import java.nio.file.Path;

/**
 * A data file that is changed where it lies.
 *
 * @param base its location in the base
 * @param location its location in the model as it is
 * @param path where it lies
 */
record InPlaceFile(String base, String location, Path path) {}
