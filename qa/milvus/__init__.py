"""The store on a Milvus server, for articles that outgrow one machine.

    engine.py    the connection, and what its errors mean to a user
    schema.py    the collections: their fields, indexes and names
    terms.py     text -> the stemmed words that BM25 counts
    rows.py      articles and passages <-> rows
    store.py     reading
    search.py    searching with one encoder
    writer.py    writing

docs/milvus.md says how articles are laid out and why nothing is lost without transactions.
"""
