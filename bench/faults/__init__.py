"""Faults put into indexing, in the manner of SQLite's, Lucene's and tantivy's own tests: at every step, nothing that was committed is lost.

    python bench/faults [--most 80] [--only sync,salvage] [--kinds kill,power] [--workers 1]

`steps` interposes between the process and the C library and stops it at a chosen step; `worlds` has what is being done when it is
stopped; `checks` says what must hold afterwards; `power` makes the disk that a power failure leaves; `damage` changes bytes of files
that are at rest; `sabotage` breaks our own saving, to show that the harness notices. Results go to bench/results/faults.json.
"""
