/// Instruments: functions that measure a layer or a net, each with its definition and its cost.
@NullMarked
package fathom.lab.instrument;

import org.jspecify.annotations.NullMarked;
