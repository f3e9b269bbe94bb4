"""Where everything that lasts is kept: files, tables, shards, journals and the ledger.

The rest of the project asks this package for paths and never builds one itself, so that one
day the root can be an object store. Nothing here knows what a post or a class means.
"""
