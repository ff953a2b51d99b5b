"""The comparison with other clients does not rot: its pure parts, and a round with slugline alone.

No time is asserted here; ``tests/benchmarks`` measures, on demand.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from storage.warc import build_response, new_record_id
from tests.benchmarks import __main__ as command
from tests.benchmarks import figures
from tests.benchmarks.clients import BY_NAME, Client, Found, find, split, wanted
from tests.benchmarks.equal import disk, kept
from tests.benchmarks.machine import cores
from tests.benchmarks.profiling import by_thread, written
from tests.benchmarks.rounds import LAUNCHER, Crawl, Plan, Used, run
from tests.benchmarks.serving import Traffic, count, spread
from tests.benchmarks.table import Heading, markdown, ratio, reference
from tests.nginx import LOOPBACK, Served
from tests.storage.drafts import article, words


def crawl(client: str, number: int, wall: float, **changes: Any) -> Crawl:
    values: dict[str, Any] = {
        "step": "first",
        "used": Used(wall, wall / 2, 20_480, 0),
        "traffic": Traffic(requests=8, received=2_000_000),
        "server": 0.1,
        "disk": 3_000_000,
        "equal": 20,
        "total": 20,
    }
    return Crawl(client=client, round=number, **(values | changes))


class TestTable:
    def test_a_ratio_is_the_median_of_the_rounds_own(self) -> None:
        # the machine was slow in round 2, for both
        crawls = [
            *(crawl("ours", *one) for one in [(0, 1.0), (1, 9.0), (2, 2.0)]),
            *(crawl("peer", *one) for one in [(0, 2.0), (1, 3.0), (2, 4.0)]),
        ]
        assert ratio(crawls, "ours", "peer") == 0.5

    def test_a_failed_crawl_has_no_say(self) -> None:
        crawls = [crawl("ours", 0, 1.0), crawl("peer", 0, 0.1, failed=True)]
        assert ratio(crawls, "ours", "peer") is None

    def test_every_client_has_a_line_with_its_worst_round(self) -> None:
        crawls = [
            crawl("ours", 0, 1.0),
            crawl("ours", 1, 2.0, equal=19, failed=True, used=Used(2.0, 1.0, 1024, 70)),
            crawl("peer", 0, 4.0),
            crawl("peer", 1, 4.0),
        ]
        heading = Heading(
            names=["ours", "peer", "absent"],
            ours=["ours"],
            against="peer",
            versions={"peer": "1.2"},
            starts={"ours": 0.25, "peer": None},
        )
        lines = markdown(crawls, heading).splitlines()
        assert lines[2].startswith("| client | wall s (min-max) | start-up s | ÷ peer | ours ÷ it")
        ours, peer = lines[4:]
        assert ours.startswith("| ours | 1.50 (1.00-2.00) | 0.25 | 0.25 |  | 0.75 | 0.10 | 20 | 8 ")
        assert ours.endswith("| 2.0 | 3.0 | 19 of 20, exit 70 |")
        assert peer.startswith("| peer 1.2 | 4.00 (4.00-4.00) |  | 1.00 | 0.25 | 2.00 | 0.10 | 20 ")
        assert peer.endswith("| 2.0 | 3.0 | 20 of 20 |")

    def test_after_an_edit_it_says_what_was_found(self) -> None:
        crawls = [crawl("ours", 0, 1.0, step="edited", found=3, edited=4)]
        shown = markdown(crawls, Heading(names=["ours"], ours=["ours"], against="ours"))
        assert "**Crawled again after an edit**" in shown
        assert "| 3 of 4 | 20 of 20 |" in shown

    def test_all_are_measured_by_wget2_where_it_is_there(self) -> None:
        assert reference(["slugline", "curl", "wget2"]) == "wget2"
        assert reference(["slugline"]) == "slugline"


def test_requests_are_counted_by_status_with_their_bytes() -> None:
    log = [Served(200, 10, "GET", "/a", "x"), Served(304, 0, "GET", "/b", "x")]
    assert count([*log, log[0]]) == Traffic(3, 20, {200: 2, 304: 1})


def test_of_a_warc_file_the_answers_count_unpacked(tmp_path: Path) -> None:
    payload = article(coding="gzip").payloads[0]
    record = build_response(payload, record_id=new_record_id(), concurrent_to=new_record_id())
    (tmp_path / "all.warc.gz").write_bytes(record.member)
    assert sha256(words("story", "html", "")).hexdigest() in kept(tmp_path)
    assert disk(tmp_path) == len(record.member)


def test_edits_are_spread_and_at_least_one() -> None:
    slugs = [str(n) for n in range(20)]
    assert spread(slugs, 0.1) == ["0", "10"]
    assert spread(slugs, 0.001) == ["0"]
    assert spread(slugs, 1.0) == slugs


class TestClients:
    def test_a_command_line_is_filled_in_after_it_is_split(self) -> None:
        client = Client("peer", '"a b" {base}/ -n{connections} ""', version="")
        found = Found(client, "/opt/peer", "1")
        argv = found.argv(client.first, base="http://x y", connections=3)
        assert argv == ["/opt/peer", "http://x y/", "-n3", ""]

    def test_quotes_hold_words_together(self) -> None:
        assert split('python -c "import a, b"') == ["python", "-c", "import a, b"]

    def test_what_is_not_there_is_left_out_with_a_sentence(self) -> None:
        absent = Client("peer", "no-such-program {base}", version="no-such-program --version")
        module = Client("spider", "python x.py", version="", module="no_such_module")
        assert find(absent, []) == (
            "peer left out: no-such-program is not installed (see --peers-from)"
        )
        assert str(find(module, [])).startswith("spider left out: no Python here has no_such_mod")

    def test_who_has_no_way_to_crawl_again_is_not_asked_to(self) -> None:
        again = [client.name for client in wanted([], recrawl=True, delayed=False)]
        assert "scrapy-cache" in again
        assert not {"curl", "crawlee", "scrapy"} & set(again)

    def test_with_latency_the_clients_get_more_connections(self, tmp_path: Path) -> None:
        found = Found(BY_NAME["wget2"], "wget2", "2")
        near, far = (Plan([found], tmp_path, delayed=delayed) for delayed in (False, True))
        assert near.connections_of(found) < far.connections_of(found)
        assert Plan([found], tmp_path, connections={"wget2": 5}).connections_of(found) == 5


def test_samples_are_summed_by_thread_and_function() -> None:
    raw = (
        "thread (7);start (a.py:1) 2\n"
        "thread (7): MainThread;start (a.py:1);work (a.py:5) 5\n"
        "thread (7): MainThread;start (a.py:2);work (a.py:6);work (a.py:7) 2\n"
        "thread (8): writer;write (b.py:3) 1\n"
    )
    threads = by_thread(raw)
    assert list(threads) == ["MainThread", "writer"]
    count_, own, whole = threads["MainThread"]
    assert (count_, own["work (a.py)"], whole["work (a.py)"], whole["start (a.py)"]) == (9, 7, 7, 9)
    assert "**writer**: 10% of all samples" in written(raw)


def test_the_launcher_reports_what_a_program_used(tmp_path: Path) -> None:
    report = tmp_path / "used.json"
    program = [sys.executable, "-c", "import sys; sys.exit(8)"]
    launcher = [sys.executable, "-I", "-S", str(LAUNCHER), str(report)]
    subprocess.run([*launcher, "60", "any", *program], check=True)
    assert json.loads(report.read_text())["exit"] == 8
    endless = [sys.executable, "-c", "import signal; signal.pause()"]
    subprocess.run([*launcher, "0.01", "any", *endless], check=True)
    assert json.loads(report.read_text())["exit"] == 137


@pytest.mark.skipif(not cores(), reason="this system can't pin a process to a core")
def test_the_launcher_keeps_a_program_to_its_core(tmp_path: Path) -> None:
    own = cores()[-1]
    asks = f"import os, sys; sys.exit(os.sched_getaffinity(0) != {{{own}}})"
    used = run([sys.executable, "-c", asks], tmp_path, core=own, limit=60)
    assert (used.exit, used.rss > 0, cores()[-1]) == (0, True, own)


def test_the_relay_passes_everything_on_in_order() -> None:
    with (
        closing(socket.create_server((LOOPBACK, 0))) as server,
        closing(socket.create_server((LOOPBACK, 0))) as listening,
    ):
        module = [sys.executable, "-m", "tests.benchmarks.delay"]
        words = [str(listening.fileno()), str(server.getsockname()[1]), "1"]
        root = Path(__file__).parents[1]
        relay = subprocess.Popen([*module, *words], pass_fds=[listening.fileno()], cwd=root)
        try:
            threading.Thread(target=echo, args=(server,), daemon=True).start()
            sent = b"".join(b"%06d" % number for number in range(20_000))
            with closing(socket.create_connection(listening.getsockname(), 20)) as client:
                client.sendall(sent)
                with client.makefile("rb") as answers:
                    assert answers.read(len(sent)) == sent
        finally:
            relay.terminate()
            relay.wait()


def echo(server: socket.socket) -> None:
    connection, _ = server.accept()
    with closing(connection):
        while data := connection.recv(65_536):
            connection.sendall(data)


@pytest.mark.xdist_group("benchmarks")
def test_a_round_runs_from_end_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = "--articles 5 --rounds 1 --recrawl --fraction 0.2 --unpinned"
    words += " --clients slugline-no-files"
    out = tmp_path / "crawls.jsonl"
    code = command.main([*words.split(), "--workdir", str(tmp_path), "--out", str(out)])
    shown, said = capsys.readouterr()
    crawls = [json.loads(line) for line in out.read_text().splitlines()]
    assert (code, [each["used"]["exit"] for each in crawls]) == (0, [0, 0, 0]), said
    assert [each["equal"] for each in crawls] == [20, 20, 20]
    assert (crawls[2]["found"], crawls[2]["edited"]) == (4, 4)
    # unchanged: robots.txt and the list; edited: one article's four formats more, and its lists
    assert crawls[1]["traffic"]["requests"] < crawls[2]["traffic"]["requests"] < 12
    assert "**First crawl**" in shown
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--clients netscape", "no client netscape: there are slugline"),
        ("--clients slugline --against wget2", "--against wget2: that client is not measured"),
    ],
)
def test_wrong_usage_is_said(words: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(words.split()) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize("words", ["--rounds 0", "--connections wget2=x", "--workdir /no/folder"])
def test_a_word_that_is_no_number_or_folder_is_refused(
    words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(words.split())
    assert ended.value.code == 2
    assert words.partition(" ")[0] in capsys.readouterr().err


def test_a_figure_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        figures.main(["speed"])
    assert ended.value.code == 2
    assert "no figure speed: there are polite, dates" in capsys.readouterr().err
