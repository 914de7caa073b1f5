package dev.graft.verify;

import dev.graft.error.FormatException;
import dev.graft.runtime.HostTensor;
import dev.graft.tensor.DType;

/** Brings a stored tensor to the type that a model asks for. */
final class Conversion {

  private Conversion() {}

  /**
   * Floats become other floats, each rounded once; integers become other integers as long as every
   * value fits.
   *
   * @param what names file and tensor, to open the message
   * @throws FormatException if a value does not fit, or floats and integers would mix
   */
  static HostTensor to(DType wanted, HostTensor tensor, String what) {
    DType found = tensor.dtype();
    if (found == wanted) {
      return tensor;
    }
    if (HostTensor.isFloat(found) && HostTensor.isFloat(wanted)) {
      return HostTensor.ofDoubles(wanted, tensor.shape(), tensor.toDoubles());
    }
    if (HostTensor.isInteger(found) && HostTensor.isInteger(wanted)) {
      try {
        return HostTensor.ofIntegers(wanted, tensor.shape(), tensor.toLongs());
      } catch (ArithmeticException e) {
        throw new FormatException(
            "%s is %s, but the model wants %s: %s".formatted(what, found, wanted, e.getMessage()),
            e);
      }
    }
    throw new FormatException(
        "%s is %s, but the model wants %s; store it in that type".formatted(what, found, wanted));
  }
}
