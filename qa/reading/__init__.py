"""Bytes of a file -> draft of an article: its text without litter, and what is known about it.

In reading order: `draft` (the types), one module for each format (`plain`, `markdown`, `html`, `word`, `pdf`) on top of
`decoding` and `metadata`; they hand lines to `body`, which takes the `head` off and the litter out, by what lines say
(`litter`, `bylines`) and how they look (`looks`). The way in is `qa.articles`.
"""
