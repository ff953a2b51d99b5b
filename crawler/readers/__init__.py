"""Reading articles in processes beside the run's own: ``--processes N``.

The run's own process keeps what there is one of: discovery and frontier, politeness, robots.txt,
what a site's articles share, slugs, judging, the archive. Each process beside it fetches, decodes
and parses whole articles, and asks for the rest: a place on the wire to a host, a host's rules, a
stored body. `messages` is what they say to each other, `packing` how answers are written for that,
`channel` how it is sent; `child` and `lent` are the side that reads, `pool`, `desk` and `remote`
are the run's.
"""
