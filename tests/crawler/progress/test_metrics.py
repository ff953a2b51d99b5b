"""A run's numbers for Prometheus: well-formed, and never half written."""

from __future__ import annotations

import re
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec import structs

from crawler.events import Summary
from crawler.progress.metrics import SiteNumbers, render, write
from crawler.progress.tally import Tally

AT = datetime(2026, 6, 19, 9, 13, 50, tzinfo=UTC)


def numbers(site: str, **values: int) -> SiteNumbers:
    none = SiteNumbers(site=site, articles=0, partial=0, failed=0, gone=0, bytes=0)
    return structs.replace(none, **values)


def text(*sites: SiteNumbers) -> str:
    tally = Tally(failed=1, failed_before=2)
    return render(Summary(run="r", requests=7, seconds=1.5), tally, sites, code=1, at=AT)


def test_each_number_has_its_type_and_a_line() -> None:
    lines = text(numbers("a", articles=3)).splitlines()
    assert "slugline_run_requests 7" in lines
    assert "slugline_run_seconds 1.500" in lines
    assert 'slugline_run_failed{known="false"} 1' in lines
    assert 'slugline_run_failed{known="true"} 2' in lines
    assert "slugline_run_exit_code 1" in lines
    assert f"slugline_run_end_time_seconds {AT.timestamp():.3f}" in lines
    assert 'slugline_site_articles{site="a"} 3' in lines
    sample = re.compile(r'slugline_[a-z_]+(\{[a-z]+="([^"\\\n]|\\.)*"\})? [0-9.]+')
    comment = re.compile(r"# (HELP|TYPE) slugline_[a-z_]+ .+")
    assert all(sample.fullmatch(line) or comment.fullmatch(line) for line in lines)


def test_each_metric_is_typed_once_however_many_sites_there_are() -> None:
    shown = text(numbers("b"), numbers("a"))
    types = [line for line in shown.splitlines() if line.startswith("# TYPE")]
    assert len(types) == len(set(types))
    assert shown.index('articles{site="a"}') < shown.index('articles{site="b"}')


def test_a_site_without_a_good_run_has_no_time_of_one() -> None:
    assert "last_good" not in text(numbers("a"))
    good = SiteNumbers(site="a", articles=0, partial=0, failed=0, gone=0, bytes=0, good_at=AT)
    assert 'last_good_run_time_seconds{site="a"}' in text(good)


def test_a_label_is_escaped() -> None:
    assert 'site="a\\"\\\\\\nb"' in text(numbers('a"\\\nb'))


def test_the_file_is_replaced_whole_and_anybody_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "slugline.prom"
    write(path, "old\n")
    write(path, "new\n")
    assert path.read_text() == "new\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_put_in_place_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "slugline.prom"
    path.mkdir()
    with pytest.raises(OSError, match="directory"):
        write(path, "new\n")
    assert list(tmp_path.iterdir()) == [path]
