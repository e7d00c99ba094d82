package fathom.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/// Markup that is well formed by construction: neither text nor the value of an attribute can
/// become a tag. It is valid both as HTML and as XML.
sealed interface Html {
  /// Elements in running text. No line may be broken around them, because the break would show as a
  /// space.
  Set<String> INLINE = Set.of("a", "dd", "dt", "span", "td", "th");

  /// Elements that have no closing tag in HTML.
  Set<String> VOID = Set.of("img", "link", "meta");

  record Attribute(String name, String value) implements Html {}

  record Words(String text) implements Html {}

  /// Script or style. The markers at its ends are comments of the language in HTML, and in XML they
  /// delimit a section in which nothing is markup.
  record Code(String code) implements Html {
    public Code {
      code = "/*<![CDATA[*/\n" + code + "\n/*]]>*/";
    }
  }

  /// Data for a script: JSON in which `&`, `<` and `>`, which occur only inside strings, are
  /// escaped.
  record Json(String json) implements Html {
    public Json {
      json = json.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e");
    }
  }

  record Element(String name, List<Attribute> attributes, List<Html> content) implements Html {}

  static Attribute attr(String name, String value) {
    return new Attribute(name, value);
  }

  static Html text(String text) {
    return new Words(text);
  }

  /// Returns an element; attributes and content may be mixed.
  static Element tag(String name, Html... parts) {
    return tag(name, Stream.of(parts));
  }

  static Element tag(String name, Stream<? extends Html> parts) {
    List<Attribute> attributes = new ArrayList<>();
    List<Html> content = new ArrayList<>();
    parts.forEach(part -> {
      if (part instanceof Attribute attribute) {
        attributes.add(attribute);
      } else {
        content.add(part);
      }
    });
    return new Element(name, attributes, content);
  }

  default void print(StringBuilder out) {
    switch (this) {
      case Attribute(String name, String value) ->
          out.append(' ').append(name).append("=\"").append(escape(value)).append('"');
      case Words(String text) -> out.append(escape(text));
      case Code(String code) -> out.append(code);
      case Json(String json) -> out.append(json);
      case Element(String name, List<Attribute> attributes, List<Html> content) -> {
        out.append(INLINE.contains(name) ? "" : "\n").append('<').append(name);
        attributes.forEach(attribute -> attribute.print(out));
        if (VOID.contains(name)) {
          out.append("/>");
        } else {
          out.append('>');
          content.forEach(part -> part.print(out));
          out.append("</").append(name).append('>');
        }
      }
    }
  }

  private static String escape(String text) {
    StringBuilder out = new StringBuilder(text.length());
    clean(text).codePoints().forEach(c -> append(out, c));
    return out.toString();
  }

  private static void append(StringBuilder out, int c) {
    switch (c) {
      case '<' -> out.append("&lt;");
      case '>' -> out.append("&gt;");
      case '&' -> out.append("&amp;");
      case '"' -> out.append("&quot;");
      case '\'' -> out.append("&#39;");
      default -> out.appendCodePoint(c);
    }
  }

  /// Returns the text with U+FFFD in place of what XML or UTF-8 cannot hold: control characters,
  /// single surrogates and non-characters.
  static String clean(String text) {
    int[] kept =
        text.replace("\r\n", "\n").codePoints().map(c -> allowed(c) ? c : 0xfffd).toArray();
    return new String(kept, 0, kept.length);
  }

  private static boolean allowed(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL -> c == '\n' || c == '\t';
      case Character.SURROGATE -> false;
      default -> (c & 0xfffe) != 0xfffe;
    };
  }
}
