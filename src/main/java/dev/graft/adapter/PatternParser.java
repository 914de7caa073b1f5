package dev.graft.adapter;

import dev.graft.adapter.PatternNode.Ahead;
import dev.graft.adapter.PatternNode.Ahead.Presence;
import dev.graft.adapter.PatternNode.Choice;
import dev.graft.adapter.PatternNode.One;
import dev.graft.adapter.PatternNode.Place;
import dev.graft.adapter.PatternNode.Repeat;
import dev.graft.adapter.PatternNode.Sequence;
import dev.graft.error.FormatException;
import dev.graft.safetensors.StrictJson;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads the part of Python's regular expressions that {@link ModulePattern} can match. */
final class PatternParser {

  static final int MAX_CHARS = 4096;
  private static final int MAX_DEPTH = 32;
  // Python takes a brace that is no quantifier for the character itself.
  private static final Pattern BRACES = Pattern.compile("\\{(\\d{0,9})(,?)(\\d{0,9})\\}");

  private final PatternCursor cursor;
  private int depth;

  private PatternParser(PatternCursor cursor) {
    this.cursor = cursor;
  }

  static PatternNode parse(String pattern) {
    if (pattern.length() > MAX_CHARS) {
      throw new FormatException(
          "pattern "
              + StrictJson.excerpt(pattern)
              + " is longer than "
              + MAX_CHARS
              + " characters");
    }
    PatternParser parser = new PatternParser(new PatternCursor(pattern));
    PatternNode root = parser.choice();
    if (!parser.cursor.atEnd()) {
      throw parser.cursor.malformed("unbalanced parenthesis");
    }
    return root;
  }

  private PatternNode choice() {
    List<PatternNode> choices = new ArrayList<>();
    do {
      choices.add(sequence());
    } while (cursor.take('|'));
    return choices.size() == 1 ? choices.getFirst() : new Choice(choices);
  }

  private PatternNode sequence() {
    List<PatternNode> parts = new ArrayList<>();
    while (!cursor.atEnd() && cursor.peek() != '|' && cursor.peek() != ')') {
      parts.add(repeated(atom()));
    }
    return new Sequence(parts);
  }

  private PatternNode repeated(PatternNode part) {
    int[] bounds = quantifier();
    if (bounds.length == 0) {
      return part;
    }
    if (part instanceof Place) {
      // Python allows it for some of these and refuses it for others; no name needs it.
      throw cursor.malformed("a repeated anchor");
    }
    if (cursor.take('+')) {
      throw cursor.unsupported("a possessive quantifier");
    }
    cursor.take('?'); // lazy or greedy: the same names match
    if (quantifier().length > 0) {
      throw cursor.malformed("multiple repeat");
    }
    return new Repeat(part, bounds[0], bounds[1]);
  }

  /** Least and most, or nothing where no quantifier stands. */
  private int[] quantifier() {
    if (cursor.take('*')) {
      return new int[] {0, Integer.MAX_VALUE};
    }
    if (cursor.take('+')) {
      return new int[] {1, Integer.MAX_VALUE};
    }
    if (cursor.take('?')) {
      return new int[] {0, 1};
    }
    return braces();
  }

  private int[] braces() {
    if (cursor.peek() != '{') {
      return new int[0];
    }
    Matcher m = BRACES.matcher(cursor.next(21));
    if (!m.lookingAt() || (m.group(1).isEmpty() && m.group(2).isEmpty())) {
      return new int[0];
    }
    cursor.skip(m.end());
    int least = m.group(1).isEmpty() ? 0 : Integer.parseInt(m.group(1));
    int most = m.group(3).isEmpty() ? Integer.MAX_VALUE : Integer.parseInt(m.group(3));
    most = m.group(2).isEmpty() ? least : most;
    if (most < least) {
      throw cursor.malformed("a repetition whose maximum is below its minimum");
    }
    return new int[] {least, most};
  }

  private PatternNode atom() {
    int c = cursor.peek();
    if (c == '*' || c == '+' || c == '?') {
      throw cursor.malformed("nothing to repeat");
    }
    if (c == '{' && braces().length > 0) {
      throw cursor.malformed("nothing to repeat");
    }
    cursor.skip(1);
    return switch (c) {
      case '(' -> group();
      case '[' -> new One(new CharacterSets(cursor).bracketed());
      case '.' -> new One(x -> x != '\n');
      case '^' -> Place.START;
      case '$' -> Place.END;
      case '\\' -> escape();
      default -> new One(x -> x == c);
    };
  }

  private PatternNode group() {
    if (++depth > MAX_DEPTH) {
      throw cursor.malformed("groups nested deeper than " + MAX_DEPTH);
    }
    Presence ahead = null;
    if (cursor.take('?')) {
      if (cursor.take('=')) {
        ahead = Presence.FOLLOWS;
      } else if (cursor.take('!')) {
        ahead = Presence.DOES_NOT_FOLLOW;
      } else {
        groupName();
      }
    }
    PatternNode inner = choice();
    if (!cursor.take(')')) {
      throw cursor.malformed("missing )");
    }
    depth--;
    return ahead == null ? inner : new Ahead(inner, ahead);
  }

  private void groupName() {
    if (cursor.take(':')) {
      return;
    }
    if (!cursor.take('P') || !cursor.take('<')) {
      throw cursor.unsupported("a group of kind (?" + cursor.next(1));
    }
    int length = 0;
    for (; CharacterSets.isWord(cursor.peek()); length++) {
      cursor.skip(1);
    }
    if (length == 0 || !cursor.take('>')) {
      throw cursor.malformed("bad group name");
    }
  }

  private PatternNode escape() {
    return switch (cursor.peek()) {
      case PatternCursor.END -> throw cursor.malformed("bad escape at the end");
      case 'b' -> skip(Place.WORD_BOUNDARY);
      case 'B' -> skip(Place.NO_WORD_BOUNDARY);
      case 'A' -> skip(Place.START);
      case 'Z', 'z' -> skip(Place.VERY_END);
      default -> new One(new CharacterSets(cursor).escaped());
    };
  }

  private PatternNode skip(PatternNode node) {
    cursor.skip(1);
    return node;
  }
}
