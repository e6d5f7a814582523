"""What stands before the page: who may come in, who may do what, how often, and what is written down about it.

ASGI, and knows nothing of Gradio but its routes and what it takes for a file. In reading order: `addresses`, `users`, `sessions`,
`visitors`, `buckets`, `routes`, `bodies`, `headers`, `record`, `sign_in`, `guard`, `health`, `running`.
"""
