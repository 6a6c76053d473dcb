"""HTTP for people who run this: API, pages, tokens. Acts only by rows and NOTIFY, as the command line does.

FastAPI is imported with `app` and what hangs on it; `tokens`, `keys` and `roles` serve the command line too.
"""
