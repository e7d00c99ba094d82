/// Blackjack: the rules of the game, its exact expectation, basic strategy, a card count, and a
/// fast simulator. The package needs only the JDK and does not use nets.
///
/// A rank is a number from 1 to 10: 1 is the ace, and 10 stands for ten, jack, queen and king.
/// Money is in units of the first bet of a round. In an array of counts, rank r is at index r − 1.
@NullMarked
package fathom.blackjack;

import org.jspecify.annotations.NullMarked;
