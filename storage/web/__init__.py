"""The room of ``slugline serve``: an archive in the browser and for Memento clients. Read-only.

A request goes server -> routes -> one function of ``pages/`` -> server. A page's function is
plain and synchronous: a Reading of the archive and a Request in, an Answer out, or Refusal. A new
page is one module in ``pages/`` and one entry in routes.py. Whatever a site wrote is escaped by the
templates (autoescape), or shown from a route whose answer a browser runs nothing of (answer.FRAME).
"""
