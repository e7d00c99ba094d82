/// Reports: one HTML file that holds everything it shows and opens without a network.
///
/// A [Page] is a value: a title, a lead and sections of [Text], [Table], [Chart] and [Facts]. The
/// same page is the same bytes. Charts are drawn by uPlot, which is copied into the file with a
/// script and a style sheet of ours; the page's content security policy allows these three and
/// nothing else. Every number of a chart also stands in a table below it, for those who cannot or
/// will not see it.
@NullMarked
package fathom.report;

import org.jspecify.annotations.NullMarked;
