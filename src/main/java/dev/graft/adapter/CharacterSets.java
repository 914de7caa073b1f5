package dev.graft.adapter;

import java.util.function.IntPredicate;

/** Reads what stands for one of several characters in a pattern: escapes and sets in brackets. */
final class CharacterSets {

  private final PatternCursor cursor;

  CharacterSets(PatternCursor cursor) {
    this.cursor = cursor;
  }

  /** What an escape stands for, its backslash being read. */
  IntPredicate escaped() {
    int c = cursor.read();
    return switch (c) {
      case 'd' -> Character::isDigit;
      case 'D' -> x -> !Character.isDigit(x);
      case 'w' -> CharacterSets::isWord;
      case 'W' -> x -> !isWord(x);
      case 's' -> CharacterSets::isSpace;
      case 'S' -> x -> !isSpace(x);
      default -> {
        int literal = escapedCharacter(c);
        yield x -> x == literal;
      }
    };
  }

  private int escapedCharacter(int c) {
    return switch (c) {
      case 'n' -> '\n';
      case 't' -> '\t';
      case 'r' -> '\r';
      case 'f' -> '\f';
      case 'v' -> 0x0b;
      case 'a' -> 7;
      case 'x' -> hex(2);
      case 'u' -> hex(4);
      default -> {
        if (c >= '0' && c <= '9') {
          throw cursor.unsupported("a backreference or octal escape");
        }
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
          throw cursor.malformed("bad escape \\" + Character.toString(c));
        }
        yield c;
      }
    };
  }

  private int hex(int digits) {
    int value = 0;
    for (int i = 0; i < digits; i++) {
      int digit = Character.digit(cursor.read(), 16);
      if (digit < 0) {
        throw cursor.malformed("incomplete escape");
      }
      value = value * 16 + digit;
    }
    return value;
  }

  /** A set in brackets, the first being read. */
  IntPredicate bracketed() {
    boolean negated = cursor.take('^');
    IntPredicate any = item(); // a bracket that comes first stands for itself
    while (!cursor.take(']')) {
      any = any.or(item());
    }
    return negated ? any.negate() : any;
  }

  private IntPredicate item() {
    int low = cursor.read();
    if (low == '\\') {
      if ("dDwWsS".indexOf(cursor.peek()) >= 0) {
        return escaped();
      }
      low = classEscape();
    }
    int high = low;
    if (cursor.peek() == '-' && cursor.peek(1) != ']') {
      cursor.skip(1);
      high = cursor.read();
      if (high == '\\') {
        high = classEscape();
      }
    }
    return range(low, high);
  }

  private IntPredicate range(int low, int high) {
    if (high < low) {
      throw cursor.malformed("bad character range");
    }
    return x -> x >= low && x <= high;
  }

  private int classEscape() {
    int c = cursor.read();
    return c == 'b' ? '\b' : escapedCharacter(c);
  }

  static boolean isWord(int c) {
    int type = Character.getType(c);
    return c == '_'
        || Character.isLetterOrDigit(c)
        || type == Character.LETTER_NUMBER
        || type == Character.OTHER_NUMBER;
  }

  private static boolean isSpace(int c) {
    return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85;
  }
}
