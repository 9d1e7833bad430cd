"""Shadow columns: tags that only two parties can make, and that meet where their records do (PROTOCOL.md 3.7.12 f.).

Beside its rows, each side of a pair of lists sends a column of tags: one for each record, each of the rule table's
sets of rules, and each choice of one of its tokens for every rule of the set. Nearly every hit meets one. The key of
a tag is the pair's, so the matcher cannot say which tags are those of which rows; it can only join the two columns.
What met there must be exactly what follows from the pairs that it reports. So it leaves out a pair unseen only if it
leaves out just that pair's tags among all others that met, which look alike, dummies among them.

`columns` makes a column, `meeting` is the matcher's part, `checks` a node's. All three work on rows by number
(`token_rows`).
"""
