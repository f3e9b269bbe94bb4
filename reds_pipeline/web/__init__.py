"""The pages of REDS: one application on a loopback port.

What belongs here: routes, templates, static files, and what protects them. What does not: what
the pages show, which the domain packages (``review``) know.
"""
