package dev.graft.cli;

import java.util.Optional;

/**
 * What {@code inspect} found.
 *
 * @param schema version of the report
 * @param verb the verb
 * @param model the model, if one was given
 * @param adapter the adapter, if one was given
 * @param onnxAdapter the {@code .onnx_adapter} file, if that was given as the adapter
 * @param binding how they fit, if both were given
 * @param error why the adapter could not be merged, if it could not
 */
record InspectReport(
    int schema,
    String verb,
    Optional<ModelReport> model,
    Optional<AdapterReport> adapter,
    Optional<OnnxAdapterReport> onnxAdapter,
    Optional<BindingReport> binding,
    Optional<Failure> error) {}
