"""Workers at work: every site read once, no host by two of them, and nothing lost by an end."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from msgspec import structs
from procrastinate import App
from procrastinate.jobs import Status
from psycopg.conninfo import conninfo_to_dict

from crawler.cluster.heart import Heart, Times
from crawler.cluster.jobs import OWED
from crawler.cluster.leases import Leases
from crawler.cluster.place import QueuePlace
from crawler.cluster.queue import enqueue_original, enqueue_site
from crawler.cluster.roster import Roster
from crawler.conductor import open_writer
from storage.archive import Archive
from tests.crawler.cluster.fleet import done, folder, hosts_of, serving, until, working
from tests.crawler.cluster.hosts import Asked, overlaps, too_fast
from tests.crawler.cluster.line import Line

DAY = timedelta(days=1)


def is_original(asked: Asked) -> bool:
    """Tell whether a request was for an article's original, on a host of its own."""
    return asked.host.startswith("127.1.")


async def enqueue(app: App, roster: Roster) -> None:
    for url in roster.lines:
        await enqueue_site(app, url)


async def test_one_worker_reads_several_sites_at_once_into_one_mirror(
    place: QueuePlace, app: App, tmp_path: Path
) -> None:
    async with serving(articles=2) as hosts:
        one = folder(tmp_path, map(hosts.site, range(3)))
        await enqueue(app, one.roster)
        async with working(place, one):
            seen = await until(done, app, one.roster)
    assert [(each.state, each.articles) for each in seen.sites] == [("done", 2)] * 3
    assert len(one.stored()) == 6


async def test_an_original_is_a_job_of_its_own_and_captured_once(
    place: QueuePlace, app: App, tmp_path: Path
) -> None:
    async with serving(articles=2, originals=2) as hosts:
        one = folder(tmp_path, map(hosts.site, range(2)))
        await enqueue(app, one.roster)
        async with working(place, one):
            await until(done, app, one.roster)
            asked = [each.path for each in hosts.log if is_original(each)]
            await enqueue_original(app, f"http://127.1.1.1:{hosts.port}{asked[-1]}", 30 * DAY)
            await until(done, app, one.roster)
        again = [each.path for each in hosts.log if is_original(each)]
    stories = [path for path in asked if path.startswith("/story-")]
    assert sorted(stories) == ["/story-0-1", "/story-0-2", "/story-1-1", "/story-1-2"]
    assert again == asked
    assert len(one.stored()) == 8


#: The queue takes sites, and no originals: what a hiccup between the two is to a worker.
_NO_ORIGINALS = """
CREATE FUNCTION no_originals() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE 'not now'; END $$;
CREATE TRIGGER no_originals BEFORE INSERT ON procrastinate_jobs
FOR EACH ROW WHEN (NEW.task_name = 'original') EXECUTE FUNCTION no_originals()
"""


async def test_originals_that_the_queue_did_not_take_are_owed_to_it(
    place: QueuePlace, app: App, tmp_path: Path
) -> None:
    async with serving(articles=2, originals=1) as hosts:
        one = folder(tmp_path, [hosts.site(0)])
        await enqueue(app, one.roster)
        await app.connector.execute_query_async(_NO_ORIGINALS)
        async with working(place, one):
            await until(done, app, one.roster)
        assert len(one.remembered(OWED)) == 2
        assert not any(map(is_original, hosts.log))
        await app.connector.execute_query_async("DROP FUNCTION no_originals() CASCADE")
        async with working(place, one):
            await until(lambda _: sum(map(is_original, hosts.log)) >= 2, app, one.roster)
            await until(done, app, one.roster)
    assert one.remembered(OWED) == {}
    assert len(one.stored()) == 4


async def test_two_workers_share_the_sites_and_no_host_sees_both_at_once(
    place: QueuePlace, app: App, tmp_path: Path
) -> None:
    async with serving(articles=3, originals=6) as hosts:
        urls = [hosts.site(n) for n in range(12)]
        one, two = (folder(tmp_path, urls, who, rate=20) for who in ("one", "two"))
        await enqueue(app, one.roster)
        async with working(place, one, 2), working(place, two, 2):
            await until(done, app, one.roster)
    assert list(overlaps(hosts.log)) == []
    assert list(too_fast(hosts.log, rate=20)) == []
    assert {who for whos in hosts_of(hosts.log).values() for who in whos} == {"one", "two"}
    assert one.stored() | two.stored() >= {(f"127.0.1.{n}+{hosts.port}", "story-0") for n in (1, 9)}


async def test_a_stopped_workers_rest_is_done_by_another(
    place: QueuePlace, app: App, tmp_path: Path
) -> None:
    async with serving(articles=30) as hosts:
        one, two = (folder(tmp_path, [hosts.site(0)], who, rate=30) for who in ("one", "two"))
        await enqueue(app, one.roster)
        async with working(place, one) as stop:
            await until(lambda _: len(hosts.log) > 10, app, one.roster)
            stop.set()
            seen = await until(lambda seen: not seen.workers, app, one.roster)
            assert (seen.queued, seen.sites[0].state) == (1, "queued")
            assert 0 < len(one.stored()) < 30
        async with working(place, two):
            await until(done, app, two.roster)
    assert len(two.stored()) == 30
    assert list(overlaps(hosts.log)) == []


async def test_a_worker_that_is_taken_for_dead_stops_and_begins_anew(
    place: QueuePlace, app: App, tmp_path: Path
) -> None:
    async with serving(articles=20) as hosts:
        one = folder(tmp_path, [hosts.site(0)], rate=20)
        await enqueue(app, one.roster)
        async with working(place, one):
            await until(lambda seen: seen.running == 1, app, one.roster)
            await Heart(app, Times(dead=-1)).bury()
            await until(lambda seen: done(seen) and bool(seen.workers), app, one.roster)
    assert any("the queue is lost" in line for line in one.said)
    assert len(one.stored()) == 20


@pytest.mark.slow
async def test_a_worker_whose_line_is_dead_has_stopped_when_another_goes_on(
    place: QueuePlace, app: App, tmp_path: Path
) -> None:
    server = Path(str(conninfo_to_dict(place.conninfo)["host"]))
    times = Times(beat=0.5, silence=4.0, grace=0.5, dead=9.0, look=0.5, poll=0.2)
    async with serving(articles=200) as hosts, Line(tmp_path / "line", server) as line:
        url = place.url.replace(quote(str(server)), str(line.folder))
        one, two = (folder(tmp_path, [hosts.site(0)], who, rate=20) for who in ("one", "two"))
        await enqueue(app, one.roster)
        async with working(structs.replace(place, url=url), one, times=times):
            await until(lambda _: len(hosts.log) > 10, app, one.roster)
            line.die()
            async with working(place, two, times=times):
                await until(done, app, two.roster)
            line.mend()
    assert len(one.stored()) < 200
    assert len(two.stored()) == 200
    assert list(overlaps(hosts.log)) == []
    assert list(too_fast(hosts.log, rate=20)) == []


async def test_a_job_whose_host_another_job_has_waits_in_the_queue(
    place: QueuePlace, app: App, tmp_path: Path
) -> None:
    async with serving(articles=1) as hosts:
        one = folder(tmp_path, [hosts.site(0)])
        worker = await app.job_manager.register_worker()
        await enqueue_site(app, hosts.site(1))
        job = await app.job_manager.fetch_job(queues=None, worker_id=worker)
        assert job is not None
        assert job.id is not None
        other = Leases(app, worker, job.id, lambda: True)
        async with working(place, one):
            async with other.own(f"127.0.1.1:{hosts.port}"):
                await enqueue(app, one.roster)
                await until(lambda seen: bool(seen.sites[0].queued_for), app, one.roster)
                assert hosts.log == []
            await app.job_manager.finish_job(job, Status.SUCCEEDED, delete_job=True)
            await until(done, app, one.roster)
    assert len(one.stored()) == 1


async def test_a_site_that_this_workers_file_does_not_have_is_said(
    place: QueuePlace, app: App, tmp_path: Path
) -> None:
    async with serving(articles=1) as hosts:
        one = folder(tmp_path, [hosts.site(0)])
        await enqueue_site(app, hosts.site(7))
        async with working(place, one):
            await until(lambda _: any("is no site" in line for line in one.said), app, one.roster)
    assert hosts.log == []


async def test_an_original_that_could_not_be_queued_is_queued_by_the_next_worker(
    place: QueuePlace, app: App, tmp_path: Path
) -> None:
    async with serving(articles=2, originals=2) as hosts:
        one = folder(tmp_path, [hosts.site(0)])
        url = f"http://127.1.1.1:{hosts.port}/story-0-1"
        async with open_writer(one.roster.defaults) as writer:
            writer.remember(OWED, url, str(30 * 86_400))
        async with working(place, one):
            await until(lambda _: bool(one.stored()), app, one.roster)
    assert one.stored() == {(f"127.1.1.1+{hosts.port}", "story-0-1")}
    with Archive.open(one.roster.into) as archive:
        assert not any(archive.memory(OWED).values())
