-- One version of the reading in each query, in two places where it could be two.
-- TestVisibleTogether of cmd/kindred found both: of some 500 queries over two views
-- while profiles joined and parted, 5 to 13 saw half of a flush.
--
-- First, the parts of a table that a query will read are noted when the query is
-- understood, and that is before its scalars are evaluated. A flush that was
-- inserted and published in between was counted by its version, of rows that were
-- not all there. A view within the view is understood when it is read, which is
-- after: reading_rows is nothing but that.
{{readingAfterRows "0017"}}

-- Second, a view that is read with the rights of its maker is a query of its own to
-- the server, and its scalars are evaluated again: a query over two such views could
-- see a version in each. So what resolves profiles is read with the rights of whoever
-- asks; what reads personal columns, and shows none, stays with its maker, in a view
-- of its own below. Readers need the rights of AnalystGrants: the views, and the
-- dictionaries and tables of the reading.
{{resolveAsInvoker "0017"}}
