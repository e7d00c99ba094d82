package fathom.lab.ledger;

/// What an experiment says of itself before it is run.
///
/// @param name what it is called on the command line
/// @param question what somebody wants to know, in one line
/// @param claim what is said, so that it can be wrong
/// @param source who says it and where, and the row of the project's table from which the
///   thresholds are
/// @param cost the time of three seeds at size quick on two cores
public record Statement(String name, String question, String claim, String source, String cost) {}
