package fathom.report;

/// Plain text. An empty line begins a new paragraph; nothing in it is markup.
///
/// @param text the paragraphs
public record Text(String text) implements Block {}
