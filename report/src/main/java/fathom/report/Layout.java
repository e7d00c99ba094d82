package fathom.report;

import static fathom.report.Html.attr;
import static fathom.report.Html.tag;
import static fathom.report.Html.text;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Renders a [Page] as an HTML document.
final class Layout {
  private static final Pattern PARAGRAPHS = Pattern.compile("\\R\\s*\\R");

  /// The largest number of sections without a table of contents, because so short a page can be
  /// seen at a glance.
  private static final int SECTIONS_WITHOUT_CONTENTS = 2;

  /// The approximate length in pixels to which the longer side of a small image is enlarged.
  private static final int SIDE = 112;

  private final Plots plots;

  private Layout(Page page) {
    plots = new Plots(page);
  }

  static String document(Page page) {
    StringBuilder out = new StringBuilder("<!DOCTYPE html>");
    new Layout(page).page(page).print(out);
    return out.append('\n').toString();
  }

  private Html page(Page page) {
    return tag(
        "html",
        attr("lang", "en"),
        tag(
            "head",
            tag("meta", attr("charset", "utf-8")),
            tag("meta", attr("http-equiv", "Content-Security-Policy"), attr("content", policy())),
            meta("viewport", "width=device-width, initial-scale=1"),
            meta("color-scheme", "light dark"),
            meta("description", page.lead()),
            tag("title", text(page.title())),
            // The icon is empty, because a browser asks the server for one where none is named.
            tag("link", attr("rel", "icon"), attr("href", "data:,")),
            tag("style", Assets.STYLE)),
        tag("body", header(page), main(page), footer(), tag("script", Assets.SCRIPT)));
  }

  /// Returns the content security policy. Nothing is loaded from elsewhere, and only the report's
  /// own script and style apply. It is a second protection in case that a name becomes markup.
  private static String policy() {
    return String.join(
        "; ",
        "default-src 'none'",
        "script-src '" + hash(Assets.SCRIPT) + "'",
        "style-src '" + hash(Assets.STYLE) + "'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'");
  }

  private static String hash(Html.Code code) {
    try {
      byte[] bytes = code.code().getBytes(StandardCharsets.UTF_8);
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(bytes);
      return "sha256-" + Base64.getEncoder().encodeToString(hash);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  private static Html meta(String name, String content) {
    return tag("meta", attr("name", name), attr("content", content));
  }

  private static Html header(Page page) {
    return tag(
        "header",
        tag("p", attr("class", "mark"), text("Fathom")),
        tag("h1", text(page.title())),
        tag("p", attr("class", "lead"), text(page.lead())),
        tag(
            "noscript",
            tag(
                "p",
                text("The charts are drawn by a script, and scripts are off. "),
                text("The table below each chart holds its numbers."))));
  }

  private static Html footer() {
    return tag(
        "footer",
        tag(
            "p",
            text("Written by Fathom. The file is complete: it loads nothing when it is read.")));
  }

  private Html main(Page page) {
    List<Section> sections = page.sections();
    Stream<Html> contents =
        sections.size() > SECTIONS_WITHOUT_CONTENTS
            ? Stream.of(contents(sections))
            : Stream.empty();
    return tag(
        "main",
        Stream.concat(
            contents, IntStream.range(0, sections.size()).mapToObj(i -> section(i, sections))));
  }

  private static Html contents(List<Section> sections) {
    return tag(
        "nav",
        attr("aria-label", "Contents"),
        tag(
            "ul",
            IntStream.range(0, sections.size())
                .mapToObj(i ->
                    tag(
                        "li",
                        tag("a", attr("href", "#" + id(i)), text(sections.get(i).heading()))))));
  }

  private static String id(int section) {
    return "section-" + (section + 1);
  }

  private Html section(int i, List<Section> sections) {
    Section section = sections.get(i);
    List<Html> parts = new ArrayList<>();
    parts.add(attr("id", id(i)));
    parts.add(attr("aria-labelledby", id(i) + "-heading"));
    parts.add(tag("h2", attr("id", id(i) + "-heading"), text(section.heading())));
    List<Html> charts = new ArrayList<>();
    for (Block block : section.blocks()) {
      if (!(block instanceof Chart || block instanceof HeatMap)) {
        row(charts, parts);
      }
      switch (block) {
        case Text(String words) -> paragraphs(words).forEach(parts::add);
        case Table table -> parts.add(Grid.of(table));
        case Matrix matrix -> parts.add(Cells.of(matrix));
        case Gallery gallery -> parts.add(gallery(gallery));
        case Facts facts -> parts.add(facts(facts));
        case Chart chart -> charts.add(plots.figure(chart));
        case HeatMap map -> charts.add(Heat.of(map));
      }
    }
    row(charts, parts);
    return tag("section", parts.stream());
  }

  /// Moves the charts gathered so far into a row at the end of `parts`.
  private static void row(List<Html> charts, List<Html> parts) {
    if (!charts.isEmpty()) {
      charts.addFirst(attr("class", "charts"));
      parts.add(tag("div", charts.stream()));
      charts.clear();
    }
  }

  private static Stream<Html> paragraphs(String words) {
    return PARAGRAPHS
        .splitAsStream(words.strip())
        .map(paragraph -> tag("p", text(paragraph.strip())));
  }

  private static Html gallery(Gallery gallery) {
    return tag(
        "ul",
        Stream.concat(
            Stream.of(attr("class", "gallery")),
            gallery.images().stream()
                .map(image ->
                    tag(
                        "li",
                        Stream.of(
                                Stream.of(image(image)),
                                image.lines().stream().map(line -> tag("p", text(line))),
                                Stream.ofNullable(image.link()).map(Layout::link))
                            .flatMap(parts -> parts)))));
  }

  private static Html link(Gallery.Link link) {
    return tag("p", tag("a", attr("href", link.href()), text(link.words())));
  }

  /// Renders an image. It is enlarged by a whole factor, because pixels of unequal sizes mislead.
  private static Html image(Gallery.Image image) {
    int zoom = Math.max(1, SIDE / Math.max(image.width(), image.height()));
    return tag(
        "img",
        attr("src", "data:image/png;base64," + Base64.getEncoder().encodeToString(image.png())),
        attr("alt", image.alt()),
        attr("width", Integer.toString(zoom * image.width())),
        attr("height", Integer.toString(zoom * image.height())));
  }

  private static Html facts(Facts facts) {
    return tag(
        "dl",
        facts.entries().entrySet().stream()
            .map(e -> tag("div", tag("dt", text(e.getKey())), tag("dd", text(e.getValue())))));
  }
}
