package dev.graft.fuzz;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * JSON as text in a tree: everything keeps its spelling, so that a tree can say what no JSON
 * library would write (names twice, numbers that are none, strings cut open).
 */
sealed interface JsonTree {

  /** Deeper text is not taken apart; it is not written deeper by more than a mutation's share. */
  int MAX_DEPTH = 60;

  void write(StringBuilder out);

  /** A member with its name as the text has it, quotes included. */
  record Member(String name, JsonTree value) {}

  /** An object; the list may be changed. */
  record Obj(List<Member> members) implements JsonTree {
    @Override
    public void write(StringBuilder out) {
      out.append('{');
      String separator = "";
      for (Member member : members) {
        out.append(separator).append(member.name()).append(':');
        member.value().write(out);
        separator = ",";
      }
      out.append('}');
    }

    /** The first member of a name, given with its quotes. */
    Optional<JsonTree> get(String name) {
      return members.stream().filter(m -> m.name().equals(name)).map(Member::value).findFirst();
    }
  }

  /** An array; the list may be changed. */
  record Arr(List<JsonTree> items) implements JsonTree {
    @Override
    public void write(StringBuilder out) {
      out.append('[');
      String separator = "";
      for (JsonTree item : items) {
        out.append(separator);
        item.write(out);
        separator = ",";
      }
      out.append(']');
    }
  }

  /** Anything else, as the text has it. */
  record Atom(String text) implements JsonTree {
    @Override
    public void write(StringBuilder out) {
      out.append(text);
    }

    boolean isString() {
      return text.length() >= 2 && text.startsWith("\"") && text.endsWith("\"");
    }
  }

  /** The text of the tree. */
  default String text() {
    StringBuilder out = new StringBuilder();
    write(out);
    return out.toString();
  }

  /** A copy that shares nothing that can be changed. */
  default JsonTree copy() {
    return switch (this) {
      case Obj obj ->
          new Obj(
              new ArrayList<>(
                  obj.members().stream()
                      .map(m -> new Member(m.name(), m.value().copy()))
                      .toList()));
      case Arr arr -> new Arr(new ArrayList<>(arr.items().stream().map(JsonTree::copy).toList()));
      case Atom atom -> atom;
    };
  }

  /** Takes a text apart, empty where it is no JSON at all. */
  static Optional<JsonTree> parse(String text) {
    Parser parser = new Parser(text);
    try {
      JsonTree tree = parser.value(0);
      return parser.atEnd() ? Optional.of(tree) : Optional.empty();
    } catch (Malformed e) {
      return Optional.empty();
    }
  }

  /** The text cannot be taken apart. */
  final class Malformed extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Malformed() {
      super("no JSON", null, false, false);
    }
  }

  /** Reads text that is roughly JSON. */
  final class Parser {
    private final String text;
    private int at;

    Parser(String text) {
      this.text = text;
    }

    boolean atEnd() {
      skipSpace();
      return at == text.length();
    }

    JsonTree value(int depth) {
      skipSpace();
      if (depth > MAX_DEPTH || at == text.length()) {
        throw new Malformed();
      }
      return switch (text.charAt(at)) {
        case '{' -> object(depth);
        case '[' -> array(depth);
        default -> new Atom(atom());
      };
    }

    private Obj object(int depth) {
      List<Member> members = new ArrayList<>();
      at++;
      while (!take('}')) {
        if (!members.isEmpty() && !take(',')) {
          throw new Malformed();
        }
        skipSpace();
        String name = atom();
        if (!take(':')) {
          throw new Malformed();
        }
        members.add(new Member(name, value(depth + 1)));
      }
      return new Obj(members);
    }

    private Arr array(int depth) {
      List<JsonTree> items = new ArrayList<>();
      at++;
      while (!take(']')) {
        if (!items.isEmpty() && !take(',')) {
          throw new Malformed();
        }
        items.add(value(depth + 1));
      }
      return new Arr(items);
    }

    private String atom() {
      int start = at;
      if (at < text.length() && text.charAt(at) == '"') {
        for (at++; at < text.length() && text.charAt(at) != '"'; at++) {
          if (text.charAt(at) == '\\') {
            at++;
          }
        }
        at = Math.min(text.length(), at + 1);
      } else {
        while (at < text.length() && ",:]}[{\" \n\t\r".indexOf(text.charAt(at)) < 0) {
          at++;
        }
      }
      if (at == start) {
        throw new Malformed();
      }
      return text.substring(start, at);
    }

    private boolean take(char wanted) {
      skipSpace();
      if (at < text.length() && text.charAt(at) == wanted) {
        at++;
        return true;
      }
      return false;
    }

    private void skipSpace() {
      while (at < text.length() && " \n\t\r".indexOf(text.charAt(at)) >= 0) {
        at++;
      }
    }
  }
}
