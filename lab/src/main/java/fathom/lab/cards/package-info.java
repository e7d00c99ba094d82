/// Does layer normalization wipe out a count of cards? Experiments on nets that see which cards of
/// a blackjack shoe are gone.
@NullMarked
package fathom.lab.cards;

import org.jspecify.annotations.NullMarked;
