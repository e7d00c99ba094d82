/// Recurrent layers and transformers: a [Recurrent] maps [Sequences] and a [State] to a
/// [TracedSequence]. There are RNN, LSTM and GRU, each with or without layer norm, and the classes
/// that stack them.
@NullMarked
package fathom.recurrent;

import org.jspecify.annotations.NullMarked;
