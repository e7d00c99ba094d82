package fathom.lab.ledger;

/// The description of an experiment before it is run.
///
/// @param name the name on the command line
/// @param question what a reader wants to know, in one line
/// @param claim the claim, in a form that can be wrong
/// @param source who makes the claim and where, and the row of the project's list of claims that
///   sets the thresholds
/// @param cost the time of three seeds at size quick on two cores
public record Statement(String name, String question, String claim, String source, String cost) {}
