"""Reports of suites: chosen, read, written as cells, drawn. What a report is stands in `daemon.report`.

chosen     which report, and which days of it
reading    the rows of one, of one snapshot, within bounds; by whom they were made, and when they are made next
cells      a value as people read it, and as programs do; table_csv: all of them as CSV
scale      where a value stands on an axis, and what the axis says
line_chart, bar_chart, heat_table, gauges   pure: rows to shapes, in per cent of the picture; drawing: which of them
"""
