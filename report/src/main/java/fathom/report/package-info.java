/// Reports: one HTML file that holds everything it shows and opens without a network.
///
/// A [Page] is a value: a title, a lead and sections of [Block]s, such as [Text], [Table], [Chart]
/// and [Facts]. Equal pages give equal bytes. Charts are drawn by uPlot, which is copied into the
/// file with a script and a style sheet of Fathom. The page's content security policy allows these
/// three and nothing else. Every number of a chart also stands in a table below it, for readers who
/// cannot see the chart or need its numbers.
@NullMarked
package fathom.report;

import org.jspecify.annotations.NullMarked;
