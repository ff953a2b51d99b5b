"""Many machines: workers that share a queue in PostgreSQL, and no server hurried by two of them.

The engine is procrastinate: a job syncs one site or captures one original, and its lock is the
host. What it has no notion of is added here: leave to ask a host that is not the job's own, the
pace that is kept when a host passes from one worker to the next, and a worker that stops by itself
when it can't reach the database any more, before others take up its jobs.

In order of need: ``place`` (where the queue is), ``tables`` (how it is made), ``roster`` (the sites
and when they are due), ``queue`` and ``manager`` (how a job comes and goes), ``leases`` (hosts),
``heart`` (who lives), ``lines`` and ``hiccups`` (connections that are lost, for good and for a
moment), ``jobs`` and ``books`` (what is done, what is left of it), ``worker`` (a process of them),
``waiting`` (for what is away when it begins), ``board`` (what people see).
"""
