/// What reads sequences: a [Recurrent] takes [Sequences] and a [State] and gives a
/// [TracedSequence]. RNN, LSTM and GRU, plain and with layer norm, and what stacks them.
@NullMarked
package fathom.recurrent;

import org.jspecify.annotations.NullMarked;
