package dev.graft.autodiff;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The length of an axis: a polynomial over the names of lengths that are known at run time only,
 * such as {@code batch*seq} or {@code past + seq}. Equal polynomials are equal lengths.
 *
 * @param terms the coefficient, never 0, of each product of names; a product is the names in order,
 *     joined by {@code *}, and the empty one stands for 1
 */
record Dim(Map<String, Long> terms) {

  static final Dim ZERO = new Dim(Map.of());
  static final Dim ONE = of(1);

  Dim {
    terms = Collections.unmodifiableMap(new TreeMap<>(terms));
  }

  static Dim of(long length) {
    return length == 0 ? new Dim(Map.of()) : new Dim(Map.of("", length));
  }

  /** A length of this name. */
  static Dim named(String name) {
    return new Dim(Map.of(name.replace('*', '.'), 1L));
  }

  /** Whether the length is known now. */
  boolean isConstant() {
    return terms.isEmpty() || (terms.size() == 1 && terms.containsKey(""));
  }

  boolean is(long length) {
    return isConstant() && value() == length;
  }

  /** The length, of one that is {@linkplain #isConstant known}. */
  long value() {
    if (!isConstant()) {
      throw new IllegalStateException("the length " + this + " is known at run time only");
    }
    return terms.getOrDefault("", 0L);
  }

  Dim plus(Dim other) {
    Map<String, Long> sum = new TreeMap<>(terms);
    other.terms.forEach((product, factor) -> sum.merge(product, factor, Long::sum));
    sum.values().removeIf(factor -> factor == 0);
    return new Dim(sum);
  }

  Dim minus(Dim other) {
    return plus(other.times(of(-1)));
  }

  Dim times(Dim other) {
    Map<String, Long> product = new TreeMap<>();
    terms.forEach((mine, a) ->
        other.terms.forEach((theirs, b) -> product.merge(joined(mine, theirs), a * b, Long::sum)));
    product.values().removeIf(factor -> factor == 0);
    return new Dim(product);
  }

  /** The quotient, where the division comes out even whatever the names stand for. */
  Optional<Dim> over(Dim divisor) {
    if (divisor.terms.size() != 1) {
      return equals(divisor) && !equals(ZERO) ? Optional.of(ONE) : Optional.empty();
    }
    Map.Entry<String, Long> by = divisor.terms.entrySet().iterator().next();
    Map<String, Long> quotient = new TreeMap<>();
    for (Map.Entry<String, Long> term : terms.entrySet()) {
      Optional<String> rest = without(term.getKey(), by.getKey());
      if (rest.isEmpty() || term.getValue() % by.getValue() != 0) {
        return Optional.empty();
      }
      quotient.put(rest.get(), term.getValue() / by.getValue());
    }
    return Optional.of(new Dim(quotient));
  }

  /** The product of lengths. */
  static Dim product(List<Dim> lengths) {
    return lengths.stream().reduce(ONE, Dim::times);
  }

  private static String joined(String a, String b) {
    if (a.isEmpty() || b.isEmpty()) {
      return a + b;
    }
    List<String> names = names(a);
    names.addAll(names(b));
    Collections.sort(names);
    return String.join("*", names);
  }

  private static Optional<String> without(String product, String divisor) {
    List<String> names = names(product);
    for (String name : names(divisor)) {
      if (!names.remove(name)) {
        return Optional.empty();
      }
    }
    return Optional.of(String.join("*", names));
  }

  private static List<String> names(String product) {
    return product.isEmpty() ? new ArrayList<>() : new ArrayList<>(List.of(product.split("\\*")));
  }

  @Override
  public String toString() {
    return terms.isEmpty()
        ? "0"
        : terms.entrySet().stream()
            .map(t ->
                t.getKey().isEmpty()
                    ? t.getValue().toString()
                    : (t.getValue() == 1 ? "" : t.getValue() + "*") + t.getKey())
            .collect(Collectors.joining(" + "));
  }
}
