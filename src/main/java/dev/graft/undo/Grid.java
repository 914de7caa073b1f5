package dev.graft.undo;

import dev.graft.tensor.DType;
import dev.graft.tensor.FloatCodec;

/**
 * The values of a float type in their order. Every value, both zeros among them, has an ordinal,
 * and neighbours have neighbouring places. Values come and go as float32, which holds all three
 * types.
 */
enum Grid {
  FLOAT32(DType.FLOAT32, 23, -126) {
    @Override
    float round(float value) {
      return value;
    }

    @Override
    int bits(float value) {
      return Float.floatToRawIntBits(value);
    }

    @Override
    float value(int bits) {
      return Float.intBitsToFloat(bits);
    }
  },
  FLOAT16(DType.FLOAT16, 10, -14) {
    @Override
    float round(float value) {
      return Float.float16ToFloat(Float.floatToFloat16(value));
    }

    @Override
    int bits(float value) {
      // Sign-extended, so that one formula orders all types.
      return Float.floatToFloat16(value);
    }

    @Override
    float value(int bits) {
      return Float.float16ToFloat((short) bits);
    }
  },
  BFLOAT16(DType.BFLOAT16, 7, -126) {
    @Override
    float round(float value) {
      return Float.intBitsToFloat(FloatCodec.bfloat16Bits(Float.floatToRawIntBits(value)) << 16);
    }

    @Override
    int bits(float value) {
      return (short) FloatCodec.bfloat16Bits(Float.floatToRawIntBits(value));
    }

    @Override
    float value(int bits) {
      return Float.intBitsToFloat(bits << 16);
    }
  };

  private final DType type;
  private final int mantissaBits;
  private final int minExponent;
  private final int magnitude;

  Grid(DType type, int mantissaBits, int minExponent) {
    this.type = type;
    this.mantissaBits = mantissaBits;
    this.minExponent = minExponent;
    this.magnitude = (int) BitWriter.mask(type.bits() - 1);
  }

  /** The grid of a foldable type. */
  static Grid of(DType type) {
    for (Grid grid : values()) {
      if (grid.type == type) {
        return grid;
      }
    }
    throw new IllegalArgumentException(type + " is no type that is folded");
  }

  /** The nearest value, half to even. */
  abstract float round(float value);

  /** The bits of a value, the sign bit extended to the left; rounds. */
  abstract int bits(float value);

  abstract float value(int bits);

  /** The place of a value in the order of all: −0 has −1, +0 has 0. */
  int placeOf(float value) {
    return turned(bits(value));
  }

  /** The value of a place. */
  float at(int place) {
    return value(turned(place));
  }

  /** Negative numbers are stored by magnitude, which runs the wrong way. Its own inverse. */
  private int turned(int bits) {
    return bits ^ ((bits >> 31) & magnitude);
  }

  /**
   * What to take from a value's exponent, as it stands in the bits of a float32, to have half the
   * distance between neighbours of its size.
   */
  int halfStepExponent() {
    return (mantissaBits + 1) << 23;
  }

  /** The distance to the next larger magnitude. */
  double ulp(float value) {
    int exponent = Math.max(Math.getExponent(value), minExponent);
    return Math.scalb(1.0, exponent - mantissaBits);
  }

  /** The place of the smallest value that is not below {@code bound}; of two zeros −0. */
  int ceiling(double bound) {
    if (bound == 0) {
      return -1;
    }
    // The nearest value is one of the two that the bound lies between.
    int place = near(bound);
    return at(place) < bound ? place + 1 : place;
  }

  /** The place of the largest value that is not above {@code bound}; of two zeros +0. */
  int floor(double bound) {
    if (bound == 0) {
      return 0;
    }
    int place = near(bound);
    return at(place) > bound ? place - 1 : place;
  }

  private int near(double bound) {
    return placeOf((float) bound);
  }
}
