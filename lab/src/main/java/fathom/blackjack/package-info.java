/// Blackjack: the game by its rules, its exact expectation, basic strategy, a count, and a fast
/// simulator. It needs the JDK alone and knows nothing of nets.
///
/// A rank is a number from 1 to 10: 1 is the ace, 10 are ten, jack, queen and king. Money is in
/// units of the first bet of a round. Where counts of cards are an array, rank r is at place r − 1.
@NullMarked
package fathom.blackjack;

import org.jspecify.annotations.NullMarked;
